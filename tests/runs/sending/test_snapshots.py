"""Rows that may have been applied though nothing said so: never forgotten by status, `undo` or `--since-last`."""

from __future__ import annotations

import pytest

from bulkupdate.errors import SignInRefusedError
from bulkupdate.redaction import Secret
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RunState
from bulkupdate.runs.undo_sheet import find_restorations
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.responses import SandboxResponse
from tests.conftest import FIRST, find_puts, read_results, write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver
from tests.runs.sending.test_sender import SkippingClock


def write_value(path, word, rows=6):
    lines = [f"{FIRST + at},{word} {at}" for at in range(rows)]
    path.write_text("\n".join(["CustomerId,Name", *lines]) + "\n")
    return path


@pytest.mark.parametrize("fault", ["cut-after", pytest.param("error-500", marks=pytest.mark.long)])
def test_a_refused_row_that_may_have_been_applied_is_unknown_undone_and_not_trusted(
    make_sandbox, run_program, tmp_path, fault
):
    sandbox = make_sandbox()
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    old, new = write_value(tmp_path / "old.csv", "Old"), write_value(tmp_path / "new.csv", "New")
    assert run_program("run", old, "--yes").counts == {"updated": 6}
    sandbox.service.plan = ScheduledFaults(customers={FIRST + 2: [fault, "conflict-409"]})
    done = run_program("run", new, "--snapshot", "--yes", "-o", tmp_path / "r.csv", retry_wait=0)
    assert done.counts == {"updated": 5, "unknown": 1}
    line = read_results(tmp_path / "r.csv")[2]
    assert (line["Status"], line["HttpStatus"]) == ("unknown", "409")
    assert "an earlier attempt" in line["Message"]
    undone = run_program("undo", done.told["run"], "--run", "--yes")
    assert undone.counts == ({"updated": 6} if fault == "cut-after" else {"updated": 5, "unchanged": 1})
    assert [sandbox.customer(FIRST + at)["Name"] for at in range(6)] == [f"Old {at}" for at in range(6)]
    assert run_program("retry", done.told["run"], "--yes").counts == {"updated": 1}


@pytest.mark.long
@pytest.mark.parametrize("fault", ["applied-500", "cut-after"])
def test_a_stopped_run_keeps_the_previous_values_of_rows_that_may_have_been_applied(
    make_sandbox, run_program, tmp_path, fault
):
    """They are `unknown` or `failed`, never `not attempted`, and still to be undone after `resume`."""
    sandbox = make_sandbox()
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    old, new = write_value(tmp_path / "old.csv", "Old", 30), write_value(tmp_path / "new.csv", "New", 30)
    assert run_program("run", old, "--yes").counts == {"updated": 30}
    down = {str(FIRST + at) for at in range(4, 30)}
    sandbox.service.plan = lambda call: fault if call.customer_id in down and call.kind == "write" else None
    stopped = run_program("run", new, "--snapshot", "--yes", max_failures=2, max_attempts=2, retry_wait=0)
    assert stopped.exit_code == 4
    sent = set(find_puts(sandbox, after=31))
    assert stopped.counts["not attempted"] == 30 - len(sent)
    sandbox.service.plan = None
    assert run_program("run", old, "--since-last", "--yes", "--limit", 1).counts["not attempted"] == len(sent) - 1
    assert run_program("resume", stopped.told["run"]).counts == {"updated": 30}
    assert run_program("undo", stopped.told["run"], "--run", "--yes").exit_code == 0
    assert [sandbox.customer(FIRST + at)["Name"] for at in range(4, 30)] == [f"Old {at}" for at in range(4, 30)]


@pytest.mark.long
def test_the_reason_of_the_run_wins_over_the_stop_at_the_border_of_a_snapshot_block(
    make_sandbox, run_program, tmp_path
):
    last = str(FIRST + 399)
    too_long = SandboxResponse(429, headers={"Retry-After": "999999"})
    sandbox = make_sandbox(
        customers=500, plan=lambda call: too_long if call.kind == "write" and call.customer_id == last else None
    )
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_value(tmp_path / "in.csv", "New", 402)
    stopped = run_program("run", sheet, "--snapshot", "--yes", concurrency=1, requests_per_hour=0)
    assert stopped.exit_code == 4, stopped.err
    assert "asks at" in stopped.err


def test_what_was_read_before_a_stop_is_read_again_if_another_run_changed_it_though_the_clock_went_back(
    sandbox, tmp_path
):
    clock = SkippingClock()
    driver = Driver(sandbox.base_url, tmp_path, clock=clock, settings={"concurrency": 1})
    older = driver.begin(write_sheet(tmp_path / "older.csv", 5, word="older"))
    run = driver.begin(write_sheet(tmp_path / "run.csv", 5, word="run"), snapshot=True)
    driver.execute_run(run, watch=lambda outcomes, _waiting: driver.stop.set() if outcomes else None)
    clock.skipped -= 3600
    driver.execute_run(older)
    clock.skipped += 3600
    driver.execute_run(run)
    with Journal(place_of(driver.state), clock) as journal:
        restored = find_restorations(journal, journal.find_run(run.id))
    assert restored[-1].before["Name"] == "older 4", "the value that the run has overwritten"


@pytest.mark.parametrize("is_killed", [False, True])
def test_what_was_read_is_read_again_after_attempts_over_hours_that_did_not_get_to_send_it(
    sandbox, tmp_path, is_killed
):
    """Each attempt ends soon after the one before, but all of them long after the fetch."""
    clock = SkippingClock()
    driver = Driver(sandbox.base_url, tmp_path, clock=clock, settings={"concurrency": 1})
    run = driver.begin(write_sheet(tmp_path / "run.csv", 5, word="run"), snapshot=True)
    driver.execute_run(run, watch=lambda outcomes, _waiting: driver.stop.set() if outcomes else None)
    if is_killed:
        with Journal(place_of(driver.state), clock) as journal:
            journal.set_state(run, RunState.RUNNING)
        clock.skipped += 7200
    driver.settings["password"] = Secret("wrong")
    for _ in range(1 if is_killed else 3):
        clock.skipped += 3000
        assert isinstance(driver.execute_run(run).error, SignInRefusedError)
    del driver.settings["password"]
    sandbox.service.registry.update(FIRST + 4, {"Name": "by others"}, is_applied=True)
    assert driver.execute_run(run).tally.counts == {"updated": 5}
    with Journal(place_of(driver.state), clock) as journal:
        restored = find_restorations(journal, journal.find_run(run.id))
    assert restored[-1].before["Name"] == "by others", "the value that the run has overwritten"
    assert restored[0].before["Name"] != "run 0", "what was already updated is not read again"
