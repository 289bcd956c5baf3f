"""Another process asks a run to stop."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import JournalError, LostConnectionError, StoppedError, UsageError
from bulkupdate.runs import stop_requests
from bulkupdate.runs.cancellation import Cancellation, find_reason
from bulkupdate.runs.context import RunContext, open_context
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.stop_requests import ask_to_stop, heed_stop_requests, name_user
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import wait_until, write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver


@pytest.fixture
def driver(sandbox: Sandbox, tmp_path: Path) -> Driver:
    return Driver(sandbox.base_url, tmp_path)


def begin(driver: Driver, context: RunContext) -> Run:
    run = driver.begin(write_sheet(driver.folder / "a.csv", 2))
    context.journal.set_state(run, RunState.RUNNING)
    return context.journal.find_run(run.id)


def wait_for(stop: threading.Event) -> bool:
    return stop.wait(60)


@pytest.mark.parametrize("stop", [Cancellation(), threading.Event()])
def test_a_run_stops_soon_after_it_was_asked_and_says_by_whom(driver: Driver, stop: threading.Event) -> None:
    with open_context(driver.make_settings(), driver.clock, stop) as context:
        run = begin(driver, context)
        with (
            lock_run(context.journal, run.id),
            heed_stop_requests(run, context),
            Journal(place_of(driver.state), Clock()) as other,
        ):
            assert not stop.is_set()
            ask_to_stop(other, run, "anna")
            assert wait_for(stop)
    reason = find_reason(stop)
    assert (reason is None) == (type(stop) is threading.Event)
    assert reason is None or str(reason).startswith("It was stopped by anna on ")


def test_a_run_that_nobody_sends_cannot_be_stopped(driver: Driver) -> None:
    with open_context(driver.make_settings(), driver.clock, driver.stop) as context:
        run = begin(driver, context)
        with pytest.raises(UsageError, match=f"Run {run.id} is not being sent: there is nothing to stop"):
            ask_to_stop(context.journal, run, "anna")
        assert context.journal.read_stop_request(run) == ""


def test_the_watch_ends_with_the_run(driver: Driver) -> None:
    with open_context(driver.make_settings(), driver.clock, driver.stop) as context:
        run = begin(driver, context)
        with heed_stop_requests(run, context):
            (watch,) = (thread for thread in threading.enumerate() if thread.name == f"stop-{run.id}")
        watch.join(60)
        assert not watch.is_alive()


class Silent:
    """A journal that cannot be opened, and a clock that goes on by half a second each time."""

    def __init__(self, error: JournalError) -> None:
        self.error = error
        self.asked = 0

    def __call__(self, *_given: Any, **_options: Any) -> Any:
        raise self.error

    def monotonic(self) -> float:
        self.asked += 1
        return 0.5 * self.asked


@pytest.mark.parametrize("is_silent", [True, False])
def test_a_run_stops_if_its_database_is_silent_for_longer_than_it_keeps_the_lock(
    monkeypatch: pytest.MonkeyPatch, is_silent: bool
) -> None:
    """A database that is down cannot give the lock to anyone else, so the run keeps waiting for it."""
    error = LostConnectionError("gone")
    error.is_silent = is_silent
    silent, stop, ended = Silent(error), Cancellation(), threading.Event()
    monkeypatch.setattr(stop_requests, "Journal", silent)
    monkeypatch.setattr(stop_requests, "_POLL_SECONDS", 0.001)
    settings: Any = SimpleNamespace(store=None)
    context: Any = SimpleNamespace(settings=settings, clock=silent, stop=stop)
    thread = threading.Thread(target=stop_requests._watch, args=(None, context, ended))
    thread.start()
    wait_until(lambda: silent.asked > 60 or not thread.is_alive())
    ended.set()
    thread.join()
    assert stop.reason is (error if is_silent else None)
    assert silent.asked == 1 + 41 if is_silent else silent.asked > 60, "given up once it is more than 20 s"


def test_a_user_without_a_name_is_called_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> str:
        raise OSError("no such user")

    assert name_user()
    monkeypatch.setattr("getpass.getuser", refuse)
    assert name_user() == "a user"


def test_the_first_reason_counts() -> None:
    stop = Cancellation()
    assert stop.reason is None
    stop.request_stop(StoppedError("first"))
    stop.request_stop(StoppedError("second"))
    assert stop.is_set()
    assert str(stop.reason) == "first"
    interrupted = Cancellation()
    interrupted.set()
    interrupted.request_stop(StoppedError("later"))
    assert interrupted.reason is None
