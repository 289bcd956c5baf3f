"""The token: one sign-in shared by all workers, renewed before it expires and once if it is refused.

`POST {base}/token` gives `access_token` and `expires_in`, in seconds; there is no refresh token (`docs/api.md`,
section Sign-in).
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.errors import ServiceDownError, SignInRefusedError, StoppedError
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retry import RequestHistory, StopRequestedError
from bulkupdate.sellercloud.transport import Request
from bulkupdate.settings import Secret

EARLY_SECONDS = 60.0
EARLY_SHARE = 0.2
"""A token is renewed a minute before its end, a short-lived one after four fifths of its life."""

SHORTEST_LIFE_SECONDS = 1.0
"""A life said to be shorter is not believed: it would cost one sign-in for each request."""


MOST_DOUBTS = 5
"""So many requests may be refused with 401 though their new token is good; the next one ends the run."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token.

    `number` counts the sign-ins; `renew_at` is in seconds since 1970; `replaces_refused`: the one before it had got a
    401.
    """

    text: str = field(repr=False)
    number: int
    renew_at: float
    replaces_refused: bool = False


class SignIn:
    """Keeps the token of one login. Thread-safe: whoever comes first signs in, the others wait for that.

    `exchange` sends a request with all its tries. After a refusal nothing is ever sent again: a locked account is worse
    than a stopped run.
    """

    def __init__(
        self,
        base_url: str,
        username: str,
        password: Secret,
        clock: Clock,
        redactor: Redactor,
        exchange: Callable[[Request], RequestHistory],
    ) -> None:
        self._url = f"{base_url}/token"
        self._username = username
        self._password = password
        self._clock = clock
        self._redactor = redactor
        self._exchange = exchange
        self._lock = threading.Lock()
        self._token = AccessToken("", 0, 0.0)
        self._accepted: set[int] = set()  # the numbers of the tokens that got an answer other than 401
        self._doubts = 0
        self._refusal: str | None = None
        redactor.learn(password.reveal())

    def current(self) -> AccessToken:
        """Return the token in force, signing in where there is none or it is about to run out.

        Raises `SignInRefusedError`, `ServiceDownError`, `StoppedError` where the address is no service's, and
        `StopRequestedError`.
        """
        token = self._token
        if self._refusal is None and self._clock.now() < token.renew_at:
            return token
        return self._renew(token, is_refused=False)

    def is_current(self, token: AccessToken) -> bool:
        """Whether that token is the newest, and not about to run out."""
        return token is self._token and self._clock.now() < token.renew_at

    def note_accepted(self, token: AccessToken) -> None:
        """Note that a request with that token got an answer other than 401."""
        self._accepted.add(token.number)

    def spend_doubt(self, refused: AccessToken) -> bool:
        """Whether a token refused at once was accepted for another request, so that the request is at fault.

        True at most `MOST_DOUBTS` times: each has cost a sign-in, and too many may lock the account.
        """
        with self._lock:
            if refused.number not in self._accepted or self._doubts >= MOST_DOUBTS:
                return False
            self._doubts += 1
            return True

    def replace_refused(self, refused: AccessToken, told: str) -> None:
        """Sign in anew after a 401, which `told` so, unless somebody else has done so meanwhile.

        Raises `SignInRefusedError` where that token was itself the answer to a 401, and has never been accepted.
        """
        self._renew(refused, is_refused=True, told=told)

    def _renew(self, old: AccessToken, *, is_refused: bool, told: str = "") -> AccessToken:
        with self._lock:
            if self._refusal is not None:
                raise self._refuse(self._refusal)
            if self._token.number == old.number:
                if is_refused and old.replaces_refused and old.number not in self._accepted:
                    raise self.refuse_token(told)
                self._token = replace(self._sign_in(old.number + 1), replaces_refused=is_refused)
            return self._token

    def refuse_token(self, message: str) -> SignInRefusedError:
        """Return the error for a token refused straight after it was given out; ends all sending."""
        told = f": {message}" if message else ""
        return self._refuse(f"The service refuses the token that it has just given to {self._username} (401{told}).")

    def _sign_in(self, number: int) -> AccessToken:
        body = json.dumps({"Username": self._username, "Password": self._password.reveal()})
        started = self._clock.now()
        course = self._exchange(Request("POST", self._url, body))
        if course.was_stopped:
            raise StopRequestedError
        reply = course.reply
        if reply is None or reply.verdict is Verdict.TRANSIENT:
            raise ServiceDownError(
                f"Signing in failed {course.attempts} times, at last with: {course.describe()}.",
                remedy="Continue with `bulkupdate resume` when the service is back.",
            )
        if reply.verdict is not Verdict.ACCEPTED:
            raise self._explain_refusal(reply)
        return self._read_token(reply, number, started)

    def _explain_refusal(self, reply: ApiResponse) -> StoppedError:
        if reply.status in (200, 400, 401, 403) and not reply.message.startswith("an HTML page"):
            told = f": {reply.message}" if reply.message else ""
            return self._refuse(f"The service refuses the login {self._username} ({reply.status}{told}).")
        return self._doubt_address(f"it answered {reply.status}" + (f", {reply.message}" if reply.message else ""))

    def _read_token(self, reply: ApiResponse, number: int, started: float) -> AccessToken:
        answer = reply.read_json()
        text = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(text, str) or not re.fullmatch(r"[\x21-\x7e]+", text):
            raise self._doubt_address(reply.message or "its answer holds no access token")
        self._redactor.learn(text)
        life = parse_expires_in(answer.get("expires_in"))
        return AccessToken(text, number, started + life - min(EARLY_SECONDS, EARLY_SHARE * life))

    def _refuse(self, message: str) -> SignInRefusedError:
        self._refusal = message
        return SignInRefusedError(
            message,
            remedy="Check BULKUPDATE_USERNAME and BULKUPDATE_PASSWORD (too many wrong tries may lock the account), "
            "then continue with `bulkupdate resume`.",
        )

    def _doubt_address(self, what: str) -> StoppedError:
        return StoppedError(
            f"Signing in at {self._url} failed: {what}; the address seems not to be that of the service.",
            remedy="Check BULKUPDATE_BASE_URL: it looks like https://xx.api.sellercloud.com/rest/api.",
        )


def parse_expires_in(value: Any) -> float:
    """`expires_in` as seconds; endless where it is missing or makes no sense: then a 401 tells."""
    try:
        life = float(value)
    except (TypeError, ValueError, OverflowError):
        return math.inf
    return life if life >= SHORTEST_LIFE_SECONDS else math.inf
