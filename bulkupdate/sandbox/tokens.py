"""Issue, check and expire the sandbox's tokens."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from email.utils import formatdate


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """One token. `number` counts them from 1; times are seconds since 1970."""

    text: str
    user: str
    number: int
    issued: float
    expires: float

    def describe(self) -> dict[str, object]:
        """Return the body of a sign-in's answer (`docs/api.md`, section Sign-in)."""
        return {
            "access_token": self.text,
            "token_type": "Bearer",
            "expires_in": round(self.expires - self.issued),
            "username": self.user,
            ".issued": formatdate(self.issued, usegmt=True),
            ".expires": formatdate(self.expires, usegmt=True),
        }


class Tokens:
    """All issued tokens; an older one stays valid when a new one is issued. Thread-safe."""

    def __init__(self, life_seconds: float) -> None:
        self._life_seconds = life_seconds
        self._tokens: dict[str, IssuedToken] = {}
        self._first_valid = 1
        self._lock = threading.Lock()

    def issue(self, user: str, now: float) -> IssuedToken:
        """Return a new token for the user."""
        with self._lock:
            number = len(self._tokens) + 1
            token = IssuedToken(
                f"sandbox-{number}-{secrets.token_hex(16)}", user, number, now, now + self._life_seconds
            )
            self._tokens[token.text] = token
        return token

    def find(self, text: str) -> IssuedToken | None:
        """Return the token, valid or not; None if it was never issued."""
        return self._tokens.get(text)

    def is_valid(self, token: IssuedToken, now: float) -> bool:
        """Return whether the token has neither expired nor been revoked."""
        return token.number >= self._first_valid and now < token.expires

    def revoke_all(self) -> None:
        """Revoke all tokens issued so far."""
        with self._lock:
            self._first_valid = len(self._tokens) + 1
