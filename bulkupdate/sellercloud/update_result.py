"""What became of one update: the tries at it, judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from bulkupdate.errors import StoppedError
from bulkupdate.sellercloud.response import Verdict
from bulkupdate.sellercloud.retry import RequestHistory


class AnswerKind(Enum):
    """What became of an update."""

    UPDATED = "updated"
    """The service answered 200 to 299."""
    REJECTED = "rejected"
    """The service refused it for good."""
    FAILED = "failed"
    """Tries used up on 5xx or without a connection; none may have been applied unanswered."""
    UNKNOWN = "unknown"
    """Some try was sent and not answered, and none was answered for good: it may or may not have been applied."""
    NOT_SENT = "not sent"
    """The run stopped before the service took it: nothing was sent, or every try so far was turned away."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one update, all its tries together.

    `http_status` is that of the last try, None where it got no answer. `attempts` counts the requests sent that were
    not throttled. `message` is for people, empty where all is well. `stop` is why the run must end after this row, None
    where it need not: raise it once the row is recorded.
    """

    status: AnswerKind
    http_status: int | None
    attempts: int
    message: str
    stop: StoppedError | None = None


def classify_update(course: RequestHistory) -> Answer:
    """What the tries at an update came to."""
    reply = course.reply
    if reply is not None and reply.verdict is Verdict.ACCEPTED:
        return Answer(AnswerKind.UPDATED, reply.status, course.attempts, reply.message)
    if reply is not None and reply.verdict is Verdict.REFUSED:
        message = reply.message or f"the service refused it ({reply.status}) and gave no reason"
        return Answer(AnswerKind.REJECTED, reply.status, course.attempts, message)
    if course.was_stopped:
        return classify_stopped_update(course, "the run stopped before the service took it", None)
    kind = AnswerKind.UNKNOWN if course.may_be_applied else AnswerKind.FAILED
    status = None if reply is None else reply.status
    message = f"{course.describe()} ({course.attempts} tries)"
    if course.may_be_applied:
        message += "; a try was sent without an answer, so it may or may not have been applied"
    return Answer(kind, status, course.attempts, message)


def classify_stopped_update(course: RequestHistory, message: str, stop: StoppedError | None) -> Answer:
    """The same where the run ended the tries early; `stop` is why, None for a person's wish."""
    kind = AnswerKind.UNKNOWN if course.may_be_applied else AnswerKind.NOT_SENT
    return Answer(kind, None if course.reply is None else course.reply.status, course.attempts, message, stop)
