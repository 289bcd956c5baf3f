"""Decide what is attempted again, and when: connection errors, time-outs and 5xx; never a refusal.

A throttle answer is not an attempt: `pipeline.py` waits and sends the request again.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

from bulkupdate.clock import Clock
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.transport import NoReplyError

LONGEST_BACK_OFF_SECONDS = 60.0


class StopRequestedError(Exception):
    """The run is stopping: the request was not sent. Stays within this package."""


class _TryAgainError(Exception):
    """The attempt failed, but another one may succeed."""


@dataclass(slots=True)
class RequestHistory:
    """The attempts at one request and their result.

    `attempts` counts the requests sent that were not throttled. `response` is that of the last attempt; None if there
    was none, and `failure` says why. `may_be_applied`: an attempt may have been applied without a success being
    reported, as it was never answered, or answered 5xx; true from the start if a stopped run left such an attempt
    behind. `doubt` describes that attempt, empty if it was not made here. `is_unanswered`: an attempt was sent and
    never answered. `was_stopped`: the run stopped before the attempts were used up.
    """

    attempts: int = 0
    response: ApiResponse | None = None
    failure: NoReplyError | None = None
    may_be_applied: bool = False
    doubt: str = ""
    is_unanswered: bool = False
    was_stopped: bool = False
    _before: tuple[bool, str] = (False, "")

    def note_sent(self) -> None:
        """Count a request about to be sent: until its response says otherwise, it may have been applied."""
        self.attempts += 1
        self._before = (self.may_be_applied, self.doubt)
        self.may_be_applied = True
        self.doubt = "sent, no answer"

    def note_response(self, response: ApiResponse) -> None:
        """Record the response. A throttle answer is not an attempt."""
        if response.verdict is Verdict.THROTTLED:
            self.attempts -= 1
        else:
            self.response = response
        if response.verdict in _NOT_APPLIED:
            self.may_be_applied, self.doubt = self._before
        else:
            self.doubt = self._describe_response(response)

    def note_no_reply(self, error: NoReplyError) -> None:
        """Record that the request got no response."""
        self.response, self.failure = None, error
        self.doubt = str(error)
        if error.was_sent:
            self.is_unanswered = True
        else:
            self.may_be_applied, self.doubt = self._before

    def describe(self) -> str:
        """Describe the result of the last attempt in a few words."""
        if self.response is None:
            return str(self.failure or "")
        return self._describe_response(self.response)

    @staticmethod
    def _describe_response(response: ApiResponse) -> str:
        return f"{response.status} {response.message}".rstrip()


_NOT_APPLIED = (Verdict.THROTTLED, Verdict.UNAUTHORIZED, Verdict.REFUSED)
"""Responses after which the request has certainly not been applied."""


@dataclass(frozen=True)
class Retrier:
    """Attempt something up to `max_attempts` times, waiting `first_wait` seconds, then twice that, up to 60.

    Jitter is added to each wait, so that workers spread out. A set `stop` ends the waiting at once. `retried` is the
    error after which another attempt may succeed. Thread-safe.
    """

    max_attempts: int
    first_wait: float
    clock: Clock
    stop: threading.Event
    retried: type[Exception] = _TryAgainError

    def run(self, send: Callable[[RequestHistory], ApiResponse], history: RequestHistory) -> None:
        """Send until a response is final or the attempts are used up; `history`, which `send` keeps, has the result.

        `send` may raise `NoReplyError` and `StopRequestedError`; its other exceptions are passed on.
        """
        with suppress(_TryAgainError):
            self.retry(lambda: _attempt(send, history))

    def retry(self, action: Callable[[], None]) -> None:
        """Call `action` again while it raises `retried`; the last such error is raised if the attempts are used up."""
        self._retrying(action)

    @cached_property
    def _retrying(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(self.retried),
            stop=stop_after_attempt(self.max_attempts),
            wait=lambda state: back_off(state.attempt_number, self.first_wait),
            sleep=self._sleep,
            reraise=True,
        )

    def _sleep(self, seconds: float) -> None:
        self.clock.wait(seconds, self.stop)


def back_off(attempt: int, first_wait: float) -> float:
    """Return the seconds to wait after that attempt (1, 2, …): doubling, with jitter.

    Not tenacity's `wait_exponential_jitter`, which changed its parameters within a major version.
    """
    jitter = random.uniform(0, first_wait)  # noqa: S311 - not a secret
    return min(first_wait * 2.0 ** min(attempt - 1, 30) + jitter, LONGEST_BACK_OFF_SECONDS)


def _attempt(send: Callable[[RequestHistory], ApiResponse], history: RequestHistory) -> None:
    """Make one attempt. Raises `_TryAgainError` if another one may succeed."""
    try:
        history.response = send(history)
    except StopRequestedError:
        history.was_stopped = True
    except NoReplyError as error:
        history.response, history.failure = None, error
        raise _TryAgainError from None
    else:
        if history.response.verdict is Verdict.TRANSIENT:
            raise _TryAgainError
