"""How a run ends: what is recorded of it, in the journal and in the audit, and what is not sent again."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.errors import BusyError, ExitCode, JournalError, UsageError
from bulkupdate.runs.context import open_context
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import Run, RunOptions, RunState
from bulkupdate.sandbox.responses import error_response
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.store.audit_log import AuditLog
from tests.conftest import FIRST, find_puts, wait_until, write_csv, write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver
from tests.runs.sending.test_sender import SkippingClock


@pytest.fixture
def driver(sandbox: Sandbox, tmp_path: Path) -> Driver:
    return Driver(sandbox.base_url, tmp_path)


def read_run(driver: Driver, run: Run) -> Run:
    with Journal(place_of(driver.state), driver.clock) as journal:
        return journal.find_run(run.id)


def test_beginning_and_end_are_audited(driver: Driver, tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path / "a.csv", 2)
    run, undo = driver.begin(sheet), driver.begin(sheet, undo="r0")
    for each in (run, undo):
        driver.execute_run(each)
    events = AuditLog(driver.make_settings().store, driver.clock).read(9)
    assert sorted((each.about, each.user, each.event) for each in events) == sorted([
        (run.id, "sandbox", "sending"), (run.id, "sandbox", "finished"),
        (undo.id, "sandbox", "undo sending"), (undo.id, "sandbox", "undo finished"),
    ])  # fmt: skip


def test_a_run_that_ended_well_has_no_reason_and_all_its_requests(driver: Driver, tmp_path: Path) -> None:
    states = []
    begun = driver.begin(write_sheet(tmp_path / "a.csv", 3))
    result = driver.execute_run(begun, watch=lambda *_: states.append(read_run(driver, begun).state))
    assert set(states) == {RunState.RUNNING}
    run = read_run(driver, begun)
    assert (run.state, run.stopped_by, run.calls, run.stop_asked) == (RunState.FINISHED, "", 4, "")
    assert (result.exit_code, result.error, result.reasons, result.to_fix) == (ExitCode.DONE, None, (), None)
    assert result.results == Path(run.results_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows which files are open")
def test_nothing_of_a_run_stays_open(driver: Driver, tmp_path: Path) -> None:
    """A server that stays up makes thousands of runs."""

    def list_open() -> set[str]:
        return {str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.is_symlink()}

    before = list_open()
    with open_context(replace(driver.make_settings(), requests_per_hour=100), driver.clock, driver.stop) as context:
        context.client.sign_in()
        assert any(name.startswith("socket:") for name in list_open() - before)
    wait_until(lambda: list_open() <= before, 10)  # the sandbox, in this process, closes its end a moment later


def test_a_finished_run_is_not_sent_again_but_its_results_are_written(
    driver: Driver, sandbox: Sandbox, tmp_path: Path
) -> None:
    run = driver.begin(write_sheet(tmp_path / "a.csv", 3))
    driver.execute_run(run)
    Path(run.results_path).unlink()
    before = len(sandbox.requests)
    again = driver.execute_run(run)
    assert again.tally.counts == {Status.UPDATED: 3}
    assert Path(run.results_path).exists()
    assert len(sandbox.requests) == before


def test_a_run_of_some_rows_is_stopped_and_says_why(driver: Driver, sandbox: Sandbox, tmp_path: Path) -> None:
    run = driver.begin(write_sheet(tmp_path / "a.csv", 5))
    result = driver.execute_run(run, limit=2)
    assert result.tally.counts == {Status.UPDATED: 2, Status.NOT_ATTEMPTED: 3}
    stopped = read_run(driver, run)
    assert (stopped.state, stopped.calls) == (RunState.STOPPED, 3)
    assert stopped.stopped_by == "only as many rows as asked for were sent"
    assert driver.execute_run(run, limit=9).tally.counts == {Status.UPDATED: 5}
    assert (read_run(driver, run).state, read_run(driver, run).calls) == (RunState.FINISHED, 3 + 4)
    assert len(find_puts(sandbox)) == len(set(find_puts(sandbox))) == 5


def test_a_run_with_nothing_to_send_makes_no_request(driver: Driver, sandbox: Sandbox, tmp_path: Path) -> None:
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name"], [FIRST, ""]])
    result = driver.execute_run(driver.begin(sheet, verify=True, snapshot=True, canary=3))
    assert (result.tally.counts, result.run.state) == ({Status.UNCHANGED: 1}, RunState.FINISHED)
    assert sandbox.requests == ()


def test_why_rows_were_not_updated_is_told(driver: Driver, tmp_path: Path) -> None:
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name"], [FIRST, "a"], [7, "no such id"]])
    result = driver.execute_run(driver.begin(sheet))
    [reason] = result.reasons
    assert (reason.status, reason.count, reason.first_rows) == (Status.REJECTED, 1, (3,))
    assert result.exit_code is ExitCode.INCOMPLETE
    assert result.to_fix is not None
    assert result.to_fix.exists()


def test_a_bug_leaves_a_stopped_run_that_says_so(driver: Driver, tmp_path: Path) -> None:
    run = driver.begin(write_sheet(tmp_path / "a.csv", 5))

    def watch(outcomes: Any, _waiting: Any) -> None:
        if outcomes:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        driver.execute_run(run, watch=watch)
    stopped = read_run(driver, run)
    assert (stopped.state, stopped.stopped_by) == (RunState.STOPPED, "the program itself failed")
    assert stopped.calls >= 2


@pytest.mark.parametrize("other", [None, BusyError("The service is full.")])
def test_a_journal_that_cannot_be_read_at_the_end_is_the_reason_unless_there_is_another(
    driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: BusyError | None
) -> None:
    def refuse(_journal: Journal, _run: Run) -> None:
        raise JournalError("The journal cannot be read.")

    def stop(*_progress: object) -> None:
        if other:
            raise other

    run = driver.begin(write_sheet(tmp_path / "a.csv", 5))
    monkeypatch.setattr(Journal, "tally", refuse)
    result = driver.execute_run(run, watch=stop)
    assert str(result.error) == str(other or "The journal cannot be read.")
    assert result.run.state is RunState.STOPPED


def test_neither_a_probe_nor_a_run_of_another_process_is_continued(
    driver: Driver, sandbox: Sandbox, tmp_path: Path
) -> None:
    run = driver.begin(write_sheet(tmp_path / "a.csv", 2))
    with Journal(place_of(driver.state), driver.clock) as journal, lock_run(journal, run.id), pytest.raises(BusyError):
        driver.execute_run(run)
    probe = driver.begin(write_sheet(tmp_path / "b.csv", 2), probe=True)
    with pytest.raises(UsageError, match="is a probe, which is not continued"):
        driver.execute_run(probe)
    assert sandbox.requests == ()


def test_how_the_service_throttles_is_kept(make_sandbox: Any, tmp_path: Path) -> None:
    busy = error_response(429, "too many")
    sandbox = make_sandbox(plan=lambda call: busy if (call.kind, call.number) == ("write", 1) else None)
    driver = Driver(sandbox.base_url, tmp_path, clock=SkippingClock())
    driver.execute_run(driver.begin(write_sheet(tmp_path / "a.csv", 2)))
    with Journal(place_of(driver.state), driver.clock) as journal:
        assert journal.select("SELECT count(*) FROM facts")[0][0] > 0


def test_a_canary_counts_towards_the_limit(driver: Driver, sandbox: Sandbox, tmp_path: Path) -> None:
    run = driver.begin(write_sheet(tmp_path / "a.csv", 9), canary=2)
    assert driver.execute_run(run, limit=5).tally.counts == {Status.UPDATED: 5, Status.NOT_ATTEMPTED: 4}
    assert RunOptions(canary=2) == run.options
    assert len(find_puts(sandbox)) == 5
