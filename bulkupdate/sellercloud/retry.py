"""Decide what is tried again, and for how long: connection errors, time-outs and 5xx; never a refusal.

A throttle answer is no try at all: `pipeline.py` waits it out and asks again.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_attempt

from bulkupdate.clock import Clock
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.transport import NoReplyError

LONGEST_BACK_OFF_SECONDS = 60.0


class StopRequestedError(Exception):
    """The run is stopping: the request was not sent. Stays within this package."""


@dataclass(slots=True)
class RequestHistory:
    """What became of the tries at one request.

    `attempts` counts the requests sent that were not throttled. `reply` is the last try's answer, None where it got
    none; `trouble` says why. `may_be_applied`: some try may have been applied, though it brought no success: it was
    sent and never answered, or answered 5xx; true from the start if a run that stopped has left such a try behind.
    `doubt` says what became of that try, empty if it was not made here. `is_unanswered`: some try was sent and never
    answered at all. `was_stopped`: a stop came before the tries were used up.
    """

    attempts: int = 0
    reply: ApiResponse | None = None
    trouble: str = ""
    may_be_applied: bool = False
    doubt: str = ""
    is_unanswered: bool = False
    was_stopped: bool = False
    _before: tuple[bool, str] = (False, "")

    def note_sent(self) -> None:
        """Count a request about to be sent: until its answer says otherwise, it may have been applied."""
        self.attempts += 1
        self._before = (self.may_be_applied, self.doubt)
        self.may_be_applied = True
        self.doubt = "sent, no answer"

    def note_reply(self, reply: ApiResponse) -> None:
        """Keep what the request came to. A throttle answer is no try at all."""
        if reply.verdict is Verdict.THROTTLED:
            self.attempts -= 1
        else:
            self.reply = reply
        if reply.verdict in _TURNED_AWAY:
            self.may_be_applied, self.doubt = self._before
        else:
            self.doubt = self._describe(reply)

    def note_no_reply(self, error: NoReplyError) -> None:
        """Keep that the request got no answer."""
        self.reply = None
        self.trouble = self.doubt = str(error)
        if error.was_sent:
            self.is_unanswered = True
        else:
            self.may_be_applied, self.doubt = self._before

    def describe(self) -> str:
        """Return what the last try came to, in a few words."""
        return self.trouble if self.reply is None else self._describe(self.reply)

    @staticmethod
    def _describe(reply: ApiResponse) -> str:
        return f"{reply.status} {reply.message}".rstrip()


_TURNED_AWAY = (Verdict.THROTTLED, Verdict.UNAUTHORIZED, Verdict.REFUSED)
"""Answers after which a request certainly has not been applied."""


class Retrier:
    """Tries a request up to `max_attempts` times; waits `first_wait` seconds, then twice that, up to 60, with jitter.

    A set `stop` ends the waiting at once. Thread-safe.
    """

    def __init__(self, max_attempts: int, first_wait: float, clock: Clock, stop: threading.Event) -> None:
        self._retrying = Retrying(
            retry=retry_if_result(bool),
            stop=stop_after_attempt(max_attempts),
            wait=lambda state: back_off(state.attempt_number, first_wait),
            sleep=lambda seconds: _ignore(clock.wait(seconds, stop)),
            retry_error_callback=lambda _: None,
        )

    def run(self, send: Callable[[RequestHistory], ApiResponse], course: RequestHistory) -> None:
        """Send until an answer is final or the tries are used up; `course`, which `send` keeps, tells what came of it.

        `send` raises `NoReplyError` and `StopRequestedError`; its other exceptions pass through.
        """
        self._retrying(_try_once, send, course)


def retry_call(
    action: Callable[[], None],
    retried: type[Exception],
    max_attempts: int,
    first_wait: float,
    clock: Clock,
    stop: threading.Event,
) -> None:
    """Do something that may fail for a while, waiting in between as a `Retrier` does; the last failure is raised."""
    Retrying(
        retry=retry_if_exception_type(retried),
        stop=stop_after_attempt(max_attempts),
        wait=lambda state: back_off(state.attempt_number, first_wait),
        sleep=lambda seconds: _ignore(clock.wait(seconds, stop)),
        reraise=True,
    )(action)


def back_off(attempt: int, first_wait: float) -> float:
    """Return the seconds to wait after that attempt (1, 2, …): doubling, with jitter, so that workers spread out.

    tenacity's own `wait_exponential_jitter` has changed its parameters within a major version.
    """
    jitter = random.uniform(0, first_wait)  # noqa: S311 - no secret
    return min(first_wait * 2.0 ** min(attempt - 1, 30) + jitter, LONGEST_BACK_OFF_SECONDS)


def _try_once(send: Callable[[RequestHistory], ApiResponse], course: RequestHistory) -> bool:
    """One try. True where another one is worth while."""
    try:
        course.reply = send(course)
    except StopRequestedError:
        course.was_stopped = True
        return False
    except NoReplyError as error:
        course.reply, course.trouble = None, str(error)
        return True
    return course.reply.verdict is Verdict.TRANSIENT


def _ignore(_: object) -> None:
    """Tenacity's sleep gives nothing back."""
