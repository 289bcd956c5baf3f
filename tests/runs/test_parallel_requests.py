"""Requests that read, several at once: every answer arrives, and no more are under way than may be repeated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bulkupdate.runs import parallel_requests
from bulkupdate.runs.context import open_context
from bulkupdate.runs.parallel_requests import run_parallel
from bulkupdate.sellercloud.client import Client
from tests.runs.in_process import Driver


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    driver = Driver("http://127.0.0.1:9/rest/api", tmp_path)
    with open_context(driver.make_settings(), driver.clock, driver.stop) as context:
        yield context.client


@pytest.mark.parametrize(("most", "expected"), [(None, 2), (5, 5)])
def test_no_more_are_begun_than_may_be_unfinished(client: Client, most: int | None, expected: int) -> None:
    begun: list[int] = []
    counted: list[int] = []
    received: list[int] = []
    unfinished: list[int] = []

    def make(number: int) -> Callable[[], int]:
        begun.append(number)
        unfinished.append(len(begun) - len(received))
        return lambda: number

    requests = (make(number) for number in range(20))
    for batch in run_parallel(client, requests, 2, lambda count, _: counted.append(count), most_unfinished=most):
        received += batch
    assert sorted(received) == list(range(20))
    assert sum(counted) == 20
    assert max(unfinished) == expected


def test_a_late_answer_keeps_no_other_waiting(client: Client) -> None:
    first_arrived = threading.Event()

    def answer_late() -> str:
        assert first_arrived.wait(60)
        return "late"

    received = []
    for batch in run_parallel(client, iter([lambda: "first", answer_late]), 2, lambda _count, _waiting: None):
        received.append(batch)
        first_arrived.set()
    assert received == [["first"], ["late"]]


def test_what_was_sent_before_a_failure_arrives_before_it_is_raised(client: Client) -> None:
    failing = threading.Event()

    def fail() -> str:
        failing.set()
        raise ZeroDivisionError

    def answer_late() -> str:
        assert failing.wait(60)
        return "late"

    received: list[str] = []
    batches = run_parallel(client, iter([answer_late, fail]), 2, lambda _count, _waiting: None)
    with pytest.raises(ZeroDivisionError):
        received.extend(answer for batch in batches for answer in batch)
    assert received == ["late"]


def test_what_was_not_sent_before_a_failure_is_not_sent(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled = threading.Event()
    sent: list[int] = []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            cancelled.set()
            super().shutdown(wait)

    def make(number: int) -> Callable[[], None]:
        def send() -> None:
            sent.append(number)
            if number == 0:
                raise ZeroDivisionError
            assert cancelled.wait(60)

        return send

    monkeypatch.setattr(parallel_requests, "ThreadPoolExecutor", Pool)
    with pytest.raises(ZeroDivisionError):
        list(run_parallel(client, map(make, range(9)), 1, lambda _count, _waiting: None, most_unfinished=9))
    assert sent in ([0], [0, 1]), "the second may have been sent before the failure was seen"


def test_what_was_not_sent_when_the_watcher_fails_is_not_sent(client: Client) -> None:
    """Ctrl-C is such a failure."""
    failed = threading.Event()
    sent: list[int] = []

    def make(number: int) -> Callable[[], None]:
        def send() -> None:
            sent.append(number)
            assert number == 0 or failed.wait(60)

        return send

    def fail(_count: int, _waiting: object) -> None:
        threading.Timer(0.2, failed.set).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_parallel(client, map(make, range(9)), 1, fail, most_unfinished=9))
    assert len(sent) <= 2


def test_without_requests_nothing_is_yielded(client: Client) -> None:
    assert list(run_parallel(client, [], 2, lambda _count, _waiting: None)) == []
