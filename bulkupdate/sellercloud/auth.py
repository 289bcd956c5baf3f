"""The access token: one sign-in shared by all workers, renewed before it expires and once if it is refused.

There is no refresh token (`docs/api.md`, section Sign-in).
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
from bulkupdate.redaction import Redactor, Secret
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retries import RequestHistory, StopRequestedError
from bulkupdate.sellercloud.transport import Request

EARLY_SECONDS = 60.0
EARLY_SHARE = 0.2
"""A token is renewed a minute before it expires, a short-lived one after four fifths of its lifetime."""

SHORTEST_LIFE_SECONDS = 1.0
"""Shorter lifetimes are ignored: they would cost a sign-in for each request."""

MAX_REFUSED_ALONE = 5
"""Requests that may be refused with 401 although their new token works for others; the next one ends the run."""

_GATEWAY_STATUSES = (502, 503, 504)
"""A page with one of these comes from a proxy before the service, which is down."""

_CHECK_ADDRESS = (
    "Check BULKUPDATE_BASE_URL, which looks like https://xx.api.sellercloud.com/rest/api (or BULKUPDATE_SERVER_ID, or "
    "BULKUPDATE_TEAM)."
)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token.

    `number` counts the sign-ins; `renew_at` is in seconds since 1970; `replaces_refused`: the previous one had got a
    401. `username` is the user name that the service returned with it, empty if none. `life_seconds` is infinite if
    the service named none.
    """

    text: str = field(repr=False)
    number: int
    renew_at: float
    replaces_refused: bool = False
    username: str = ""
    life_seconds: float = math.inf


class SignIn:
    """Keeps the token of one login. Thread-safe: the first caller signs in, the others wait for it.

    `exchange` sends a request with all its attempts. After a refusal nothing is sent again: a locked account is worse
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
        self._base_url = base_url
        self._username = username
        self._password = password
        self._clock = clock
        self._redactor = redactor
        self._exchange = exchange
        self._lock = threading.Lock()
        self._token = AccessToken("", 0, 0.0)
        self._accepted: set[int] = set()  # the numbers of the tokens that got a response other than 401
        self._refused_alone = 0
        self._refusal: str | None = None

    def current(self) -> AccessToken:
        """Return the token in force, signing in if there is none or it is about to expire.

        Raises `SignInRefusedError`, `ServiceDownError`, `StoppedError` if the address is not the service's, and
        `StopRequestedError`.
        """
        token = self._token
        if self._refusal is None and self._clock.now() < token.renew_at:
            return token
        return self._renew(token, is_refused=False)

    @property
    def username(self) -> str:
        """The user name that the service returned with the token; empty before the sign-in, or if it returned none."""
        return self._token.username

    def is_current(self, token: AccessToken) -> bool:
        """Return whether that token is the newest, and not about to expire."""
        return token is self._token and self._clock.now() < token.renew_at

    def note_accepted(self, token: AccessToken) -> None:
        """Record that a request with that token got a response other than 401."""
        self._accepted.add(token.number)

    def spend_exception(self, refused: AccessToken) -> bool:
        """Return whether the request is at fault, as its token, which was refused at once, was accepted for another.

        True at most `MAX_REFUSED_ALONE` times: each costs a sign-in, and too many may lock the account.
        """
        with self._lock:
            if refused.number not in self._accepted or self._refused_alone >= MAX_REFUSED_ALONE:
                return False
            self._refused_alone += 1
            return True

    def replace_refused(self, refused: AccessToken, details: str) -> None:
        """Sign in again after a 401, which said `details`, unless another worker has done so meanwhile.

        Raises `SignInRefusedError` if that token itself replaced a refused one, and has never been accepted.
        """
        self._renew(refused, is_refused=True, details=details)

    def refuse_token(self, details: str) -> SignInRefusedError:
        """Return the error for a token refused straight after it was issued; ends all sending."""
        return self._record_refusal(
            f"The service refuses the token that it has just issued to {self._username} (401: {details})."
        )

    def _renew(self, old: AccessToken, *, is_refused: bool, details: str = "") -> AccessToken:
        with self._lock:
            if self._refusal is not None:
                raise self._record_refusal(self._refusal)
            if self._token.number == old.number:
                if is_refused and old.replaces_refused and old.number not in self._accepted:
                    raise self.refuse_token(details)
                self._token = replace(self._sign_in(old.number + 1), replaces_refused=is_refused)
            return self._token

    def _sign_in(self, number: int) -> AccessToken:
        password = self._password.reveal()
        self._redactor.learn(password)
        body = json.dumps({"Username": self._username, "Password": password})
        started = self._clock.now()
        history = self._exchange(Request("POST", f"{self._base_url}/token", body))
        if history.was_stopped:
            raise StopRequestedError
        response = history.response
        if response is None or response.verdict is Verdict.TRANSIENT:
            raise self._down_error(history)
        if response.verdict is not Verdict.ACCEPTED:
            raise self._refusal_error(response)
        return self._read_token(response, number, started)

    def _down_error(self, history: RequestHistory) -> StoppedError:
        response, failure = history.response, history.failure
        if response is not None and response.is_html and response.status not in _GATEWAY_STATUSES:
            return self._wrong_address_error(f"it answered {history.describe()}")
        is_wrong = (response is not None and response.is_html) or (failure is not None and failure.is_address_suspect)
        return ServiceDownError(
            f"Signing in at {self._base_url} failed {history.attempts} times. The last attempt: {history.describe()}.",
            remedy=_CHECK_ADDRESS if is_wrong else "Try again when the service is back.",
        )

    def _refusal_error(self, response: ApiResponse) -> StoppedError:
        if response.status in (200, 400, 401, 403) and not response.is_html:
            quoted = f": {response.message}" if response.message else ""
            return self._record_refusal(f"The service refuses the login {self._username} ({response.status}{quoted}).")
        return self._wrong_address_error(f"it answered {response.status} {response.message}".rstrip())

    def _read_token(self, response: ApiResponse, number: int, started: float) -> AccessToken:
        answer = response.json
        text = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(text, str) or not re.fullmatch(r"[\x21-\x7e]+", text):
            raise self._wrong_address_error(response.message or "its answer holds no access token")
        self._redactor.learn(text)
        life = parse_expires_in(answer.get("expires_in"))
        username = answer.get("username")
        renew_at = started + life - min(EARLY_SECONDS, EARLY_SHARE * life)
        return AccessToken(
            text, number, renew_at, username=username if isinstance(username, str) else "", life_seconds=life
        )

    def _record_refusal(self, message: str) -> SignInRefusedError:
        self._refusal = message
        return SignInRefusedError(
            message,
            remedy="Check BULKUPDATE_USERNAME and BULKUPDATE_PASSWORD, and the permissions of this login; too many "
            "wrong attempts may lock the account.",
        )

    def _wrong_address_error(self, details: str) -> StoppedError:
        return StoppedError(
            f"Signing in at {self._base_url} failed: {details}. This is not Sellercloud's API.", remedy=_CHECK_ADDRESS
        )


def parse_expires_in(value: Any) -> float:
    """Return `expires_in` as seconds; infinite if it is missing or invalid: then a 401 ends the token."""
    try:
        life = float(value)
    except (TypeError, ValueError, OverflowError):
        return math.inf
    return life if life >= SHORTEST_LIFE_SECONDS else math.inf
