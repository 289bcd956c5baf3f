"""The result of one update in all its parts: what a row's status, message and HTTP status are made of."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.errors import StoppedError, ThrottledTooLongError
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retries import RequestHistory
from bulkupdate.sellercloud.update_result import AttemptsEnded, UpdateResult, classify_stopped_update
from tests.sellercloud.scripted import Reaction, Received, TurnedClock, connect, in_turn, serve

BODY = '{"Name": "Anna"}'
BUSY = Reaction(503, {"Message": "busy"})
LOCKED = Reaction(409, {"Message": "locked"})

ANSWERED, USED_UP, STOPPED = AttemptsEnded.ANSWERED, AttemptsEnded.USED_UP, AttemptsEnded.STOPPED


@pytest.mark.parametrize(
    ("reactions", "result"),
    [
        ([Reaction(200)], UpdateResult(Status.UPDATED, 200, 1, "", ANSWERED, may_be_applied=True)),
        ([BUSY, Reaction(204)], UpdateResult(Status.UPDATED, 204, 2, "", ANSWERED, may_be_applied=True)),
        ([LOCKED], UpdateResult(Status.REJECTED, 409, 1, "locked", ANSWERED, may_be_applied=False)),
        (
            [Reaction(202)],
            UpdateResult(
                Status.UNKNOWN, 202, 1, "answered 202, which does not say whether the update was carried out", ANSWERED,
                may_be_applied=True,
            ),
        ),
        ([BUSY], UpdateResult(Status.FAILED, 503, 2, "503 busy (2 attempts)", USED_UP, may_be_applied=True)),
        (
            [Reaction(0), BUSY],
            UpdateResult(
                Status.UNKNOWN, 503, 2,
                "503 busy (2 attempts); an attempt was sent and not answered, so it may or may not have been applied",
                USED_UP, may_be_applied=True,
            ),
        ),
        (
            [BUSY, Reaction(0)],
            UpdateResult(
                Status.UNKNOWN, None, 2,
                "the connection broke before an answer came (2 attempts); an attempt was sent and not answered, so it "
                "may or may not have been applied",
                USED_UP, may_be_applied=True,
            ),
        ),
        (
            [Reaction(0), LOCKED],
            UpdateResult(
                Status.UNKNOWN, 409, 2,
                "the last attempt was refused: locked; an earlier attempt (the connection broke before an answer came) "
                "may or may not have been applied",
                ANSWERED, may_be_applied=True,
            ),
        ),
        (
            [BUSY, LOCKED],
            UpdateResult(
                Status.UNKNOWN, 409, 2,
                "the last attempt was refused: locked; an earlier attempt (503 busy) may or may not have been applied",
                ANSWERED, may_be_applied=True,
            ),
        ),
    ],
)  # fmt: skip
def test_the_attempts_together_are_the_result(tmp_path: Path, reactions: list[Reaction], result: UpdateResult) -> None:
    with serve(in_turn(*reactions)) as service, connect(service.base_url, tmp_path, max_attempts=2) as client:
        assert client.update_customer("163", BODY) == result


def test_an_attempt_of_an_earlier_run_is_named(tmp_path: Path) -> None:
    with serve(LOCKED) as service, connect(service.base_url, tmp_path) as client:
        assert client.update_customer("163", BODY, may_be_applied=True) == UpdateResult(
            Status.UNKNOWN, 409, 1,
            "the last attempt was refused: locked; an earlier attempt, made before the run was resumed, may or may not "
            "have been applied",
            ANSWERED, may_be_applied=True,
        )  # fmt: skip


def test_a_stop_says_what_was_sent_until_then(tmp_path: Path) -> None:
    stop = threading.Event()

    def fail_and_stop(_: Received) -> Reaction:
        stop.set()
        return BUSY

    message = "the run stopped before the service accepted it"
    with serve(fail_and_stop) as service, connect(service.base_url, tmp_path, stop=stop) as client:
        doubt = "an earlier attempt (503 busy) may or may not have been applied"
        assert client.update_customer("163", BODY) == UpdateResult(
            Status.UNKNOWN, 503, 1, f"{message}; {doubt}", STOPPED, may_be_applied=True
        )
        assert client.update_customer("164", BODY) == UpdateResult(
            Status.NOT_ATTEMPTED, None, 0, message, STOPPED, may_be_applied=False
        )


def test_what_ends_the_run_is_said_once_and_the_doubt_after_it(tmp_path: Path) -> None:
    clock = TurnedClock()
    script = in_turn(BUSY, Reaction(429, headers={"Retry-After": "999999"}))
    with serve(script, clock=clock) as service, connect(service.base_url, tmp_path, clock=clock) as client:
        result = client.update_customer("163", BODY)
        assert isinstance(result.stop, ThrottledTooLongError)
        assert (result.status, result.http_status, result.attempts, result.ended) == (Status.UNKNOWN, 503, 1, STOPPED)
        reason = str(result.stop).rstrip(".")
        assert result.message == f"{reason}; an earlier attempt (503 busy) may or may not have been applied"


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(Verdict.ACCEPTED, Status.UPDATED), (Verdict.REFUSED, Status.REJECTED), (Verdict.UNCLEAR, Status.UNKNOWN)],
)
def test_an_answer_that_came_before_the_stop_counts(verdict: Verdict, status: Status) -> None:
    """Such as before the quota could not be written."""
    history, stop = RequestHistory(), StoppedError("The disk is full.")
    history.note_sent()
    history.note_response(ApiResponse(verdict, 200, "so"))
    result = classify_stopped_update(history, str(stop), stop)
    assert (result.status, result.http_status, result.ended, result.stop) == (status, 200, ANSWERED, stop)
