"""Classify the outcome of one update from all its attempts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from bulkupdate.errors import StoppedError
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retry import RequestHistory


class AnswerKind(Enum):
    """What became of an update."""

    UPDATED = "updated"
    """The service answered 200 or 204, with a body that does not say otherwise."""
    REJECTED = "rejected"
    """The service refused it for good, and no earlier try may have been applied."""
    FAILED = "failed"
    """Tries used up on 5xx or without a connection."""
    UNKNOWN = "unknown"
    """Some try was sent and brought no final answer: it may or may not have been applied."""
    NOT_SENT = "not sent"
    """The run stopped before the service took it: nothing was sent, or every try so far was turned away."""


class TriesEnded(Enum):
    """Why there were no more tries."""

    ANSWERED = "answered"
    """The service gave a final answer."""
    USED_UP = "used up"
    """As many were made as are allowed."""
    STOPPED = "stopped"
    """The run ended first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one update, all its tries together.

    `http_status` is that of the last try, None if it got no answer. `attempts` counts the requests sent that were
    not throttled. `message` is for users, empty if all is well. `may_be_applied`: one of the tries was, or may have
    been, applied. `stop` is why the run must end after this row, None if it need not: raise it once the row is
    recorded.
    """

    status: AnswerKind
    http_status: int | None
    attempts: int
    message: str
    ended: TriesEnded
    may_be_applied: bool
    stop: StoppedError | None = None


_FINAL = (Verdict.ACCEPTED, Verdict.REFUSED, Verdict.UNCLEAR)


def classify_update(course: RequestHistory) -> Answer:
    """Return what the tries at an update came to."""
    reply = course.reply
    if reply is not None and reply.verdict is Verdict.ACCEPTED:
        return Answer(AnswerKind.UPDATED, reply.status, course.attempts, reply.message, TriesEnded.ANSWERED, True)
    if reply is not None and reply.verdict is Verdict.REFUSED:
        return _judge_refused(course, reply)
    if reply is not None and reply.verdict is Verdict.UNCLEAR:
        message = f"answered {reply.status}, {reply.message}"
        return Answer(AnswerKind.UNKNOWN, reply.status, course.attempts, message, TriesEnded.ANSWERED, True)
    if course.was_stopped:
        return classify_stopped_update(course, "the run stopped before the service took it", None)
    return _judge_used_up(course)


def classify_stopped_update(course: RequestHistory, message: str, stop: StoppedError | None) -> Answer:
    """Return the same if the run ended the tries early; `stop` is why, None if a user asked for it."""
    if course.reply is not None and course.reply.verdict in _FINAL:  # it was in time
        return replace(classify_update(course), stop=stop)
    kind = AnswerKind.NOT_SENT
    if course.may_be_applied:
        kind, message = AnswerKind.UNKNOWN, f"{message}; {_describe_doubt(course)}"
    status = None if course.reply is None else course.reply.status
    return Answer(kind, status, course.attempts, message, TriesEnded.STOPPED, course.may_be_applied, stop)


def _judge_refused(course: RequestHistory, reply: ApiResponse) -> Answer:
    kind, message = AnswerKind.REJECTED, reply.message or f"the service refused it ({reply.status}) and gave no reason"
    if course.may_be_applied:
        kind, message = AnswerKind.UNKNOWN, f"the last try was refused: {message}; {_describe_doubt(course)}"
    return Answer(kind, reply.status, course.attempts, message, TriesEnded.ANSWERED, course.may_be_applied)


def _judge_used_up(course: RequestHistory) -> Answer:
    kind = AnswerKind.UNKNOWN if course.is_unanswered else AnswerKind.FAILED
    status = None if course.reply is None else course.reply.status
    message = f"{course.describe()} ({course.attempts} tries)"
    if course.is_unanswered:
        message += "; a try was sent without an answer, so it may or may not have been applied"
    return Answer(kind, status, course.attempts, message, TriesEnded.USED_UP, course.may_be_applied)


def _describe_doubt(course: RequestHistory) -> str:
    told = f" ({course.doubt})" if course.doubt else " of it, before the run was continued,"
    return f"an earlier try{told} may or may not have been applied"
