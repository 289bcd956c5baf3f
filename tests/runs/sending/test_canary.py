"""`--canary`: not one update beyond it unless every field of it was read back as it was sent."""

from __future__ import annotations

import pytest

from bulkupdate.errors import ExitCode
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.responses import error_response
from tests.conftest import FIRST, find_puts, write_csv, write_sheet

CANARY = [str(FIRST + at) for at in range(3)]


@pytest.mark.parametrize(("fault", "options"), [("ignored-200", ["--snapshot"]), ("cut-after", [])])
def test_a_canary_that_disagrees_stops_the_run_and_resume_too(make_sandbox, run_program, tmp_path, fault, options):
    """Ignored by a service that answers 200, or without an answer: for the canary, both are the same."""
    sandbox = make_sandbox(plan=ScheduledFaults(customers={FIRST + 1: [fault] * 4}))
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 20)
    stopped = run_program("run", sheet, "--yes", "--canary", 3, *options, max_attempts=2, concurrency=8)
    assert stopped.exit_code == ExitCode.STOPPED
    assert set(find_puts(sandbox)) == set(CANARY)
    assert "The canary disagreed, so no other row was sent: 1 of its 3 rows are not as sent (row 3: " in stopped.err
    run = stopped.told["run"]
    assert stopped.told["next"] == f"bulkupdate resume {run}"
    assert (f"bulkupdate undo {run} --run" in stopped.err) == bool(options)
    assert run_program("resume", max_attempts=2).exit_code == ExitCode.STOPPED
    assert set(find_puts(sandbox)) == set(CANARY)
    continued = run_program("resume", "--canary", 0)
    assert continued.counts["updated"] >= 19
    assert len(set(find_puts(sandbox))) == 20


def test_a_canary_that_agrees_is_sent_once_and_the_others_follow(run_program, sandbox, tmp_path):
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name"], *([FIRST + at, f"n{at}"] for at in range(60))])
    done = run_program("run", sheet, "--yes", "--canary", 50, "--limit", 40)
    assert done.counts == {"updated": 40, "not attempted": 20}
    assert run_program("resume").counts == {"updated": 60}
    kinds = [each.kind for each in sandbox.requests]
    assert (kinds.count("write"), len(find_puts(sandbox)), len(set(find_puts(sandbox)))) == (60, 60, 60)
    assert kinds.count("read") + kinds.count("list") == 2


def test_a_row_of_the_canary_that_was_answered_401_is_sent_again(make_sandbox, run_program, tmp_path):
    """Rows answered 401 are sent last: after the others of the canary, not after all rows."""
    answers = iter([error_response(401, "no rights")] * 2)
    sandbox = make_sandbox(plan=lambda call: next(answers, None) if call.customer_id == CANARY[1] else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    stopped = run_program("run", write_sheet(tmp_path / "a.csv", 6), "--yes", "--canary", 3, concurrency=1)
    assert (stopped.exit_code, stopped.counts["not attempted"]) == (ExitCode.STOPPED, 5)
    resumed = run_program("resume", concurrency=1)
    assert (resumed.exit_code, resumed.counts) == (ExitCode.DONE, {"updated": 6})
