"""The result of one update, from all its attempts together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from bulkupdate.customers.models import Status
from bulkupdate.errors import StoppedError
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retries import RequestHistory


class AttemptsEnded(Enum):
    """Why there were no more attempts."""

    ANSWERED = "answered"
    """The service gave a final answer."""
    USED_UP = "used up"
    """As many were made as are allowed."""
    STOPPED = "stopped"
    """The run ended first."""


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """The result of one update.

    `status` is `not attempted` if the run stopped before the service accepted a request. `http_status` is that of the
    last attempt, None if it got no response. `attempts` counts the requests sent that were not throttled. `message` is
    for users, empty if all is well. `may_be_applied`: an attempt was, or may have been, applied. `stop` is why the run
    must end after this row, None if it need not: raise it once the row is recorded.
    """

    status: Status
    http_status: int | None
    attempts: int
    message: str
    ended: AttemptsEnded
    may_be_applied: bool
    stop: StoppedError | None = None


_FINAL = (Verdict.ACCEPTED, Verdict.REFUSED, Verdict.UNCLEAR)


def classify_update(history: RequestHistory) -> UpdateResult:
    """Return the result of the attempts at an update."""
    response = history.response
    if response is not None and response.verdict is Verdict.ACCEPTED:
        return _answered(Status.UPDATED, response, history, response.message, may_be_applied=True)
    if response is not None and response.verdict is Verdict.REFUSED:
        return _classify_refused(history, response)
    if response is not None and response.verdict is Verdict.UNCLEAR:
        message = f"answered {response.status}, {response.message}"
        return _answered(Status.UNKNOWN, response, history, message, may_be_applied=True)
    if history.was_stopped:
        return classify_stopped_update(history, "the run stopped before the service accepted it", None)
    return _classify_used_up(history)


def classify_stopped_update(history: RequestHistory, message: str, stop: StoppedError | None) -> UpdateResult:
    """Return the result if the run ended the attempts early; `stop` is why, None if the user asked for it."""
    if history.response is not None and history.response.verdict in _FINAL:  # the answer came in time
        return replace(classify_update(history), stop=stop)
    status = Status.NOT_ATTEMPTED
    if history.may_be_applied:
        status, message = Status.UNKNOWN, f"{message.rstrip('.')}; {_describe_doubt(history)}"
    http_status = None if history.response is None else history.response.status
    return UpdateResult(
        status, http_status, history.attempts, message, AttemptsEnded.STOPPED, history.may_be_applied, stop
    )


def _answered(
    status: Status, response: ApiResponse, history: RequestHistory, message: str, *, may_be_applied: bool
) -> UpdateResult:
    return UpdateResult(status, response.status, history.attempts, message, AttemptsEnded.ANSWERED, may_be_applied)


def _classify_refused(history: RequestHistory, response: ApiResponse) -> UpdateResult:
    status = Status.REJECTED
    message = response.message or f"the service refused it ({response.status}) and gave no reason"
    if history.may_be_applied:
        status, message = Status.UNKNOWN, f"the last attempt was refused: {message}; {_describe_doubt(history)}"
    return _answered(status, response, history, message, may_be_applied=history.may_be_applied)


def _classify_used_up(history: RequestHistory) -> UpdateResult:
    status = Status.UNKNOWN if history.is_unanswered else Status.FAILED
    http_status = None if history.response is None else history.response.status
    message = f"{history.describe()} ({history.attempts} attempts)"
    if history.is_unanswered:
        message += "; an attempt was sent and not answered, so it may or may not have been applied"
    return UpdateResult(status, http_status, history.attempts, message, AttemptsEnded.USED_UP, history.may_be_applied)


def _describe_doubt(history: RequestHistory) -> str:
    details = f" ({history.doubt})" if history.doubt else ", made before the run was resumed,"
    return f"an earlier attempt{details} may or may not have been applied"
