"""`--canary`: not one update beyond it unless every field of it was read back as it was sent."""

from __future__ import annotations

import pytest

from bulkupdate.errors import ExitCode
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.sending.canary import take_canary
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.responses import error_response
from tests.conftest import FIRST, find_puts, write_csv, write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver

CANARY = [str(FIRST + at) for at in range(3)]


@pytest.mark.parametrize(
    ("fault", "options"), [("ignored-200", ["--snapshot"]), pytest.param("cut-after", [], marks=pytest.mark.long)]
)
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


@pytest.mark.parametrize("options", [[], pytest.param(["--snapshot"], marks=pytest.mark.long), ["--limit", 195]])
def test_a_canary_among_rows_that_the_write_policy_keeps_reads_full_pages_of_the_list(
    run_program, sandbox, tmp_path, options
):
    """Each row that is kept as it is makes room for another one: they are read fifty at a time, and once."""
    for at in range(200):
        sandbox.service.registry.update(FIRST + at, {"Name": "" if at >= 190 else "kept"}, is_applied=True)
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name"], *([FIRST + at, "new"] for at in range(200))])
    done = run_program("run", sheet, "--yes", "--canary", 5, *options, write_policy="Name=only-if-empty")
    sent = 5 if "--limit" in options else 10
    assert done.counts == {"unchanged": 190, "updated": sent} | ({"not attempted": 5} if sent == 5 else {})
    kinds = [each.kind for each in sandbox.requests]
    assert kinds.count("list") <= 200 / 50 + 2, "but for the canary's own reading, before and after"
    assert set(find_puts(sandbox)[:5]) == {str(FIRST + at) for at in range(190, 195)}


def test_only_the_canary_is_read_from_the_journal(sandbox, tmp_path):
    driver = Driver(sandbox.base_url, tmp_path)
    run = driver.begin(write_sheet(tmp_path / "a.csv", 3000))
    with Journal(place_of(driver.state), driver.clock) as journal:
        read = []
        select = journal.select
        journal.select = lambda *query: read.extend(found := select(*query)) or found
        taken = take_canary(run, journal, frozenset({2, 3, 4}))
    assert [row.number for row in taken] == [2, 3, 4]
    assert len(read) == 3


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, "; and 1 more")])
def test_the_first_five_rows_that_disagree_are_named(make_sandbox, tmp_path, count, more):
    deaf = make_sandbox(plan=lambda call: "ignored-200" if call.kind == "write" else None)
    driver = Driver(deaf.base_url, tmp_path)
    result = driver.execute_run(driver.begin(write_sheet(tmp_path / "a.csv", 7), canary=count))
    told = str(result.error)
    assert f"{count} of its {count} rows are not as sent" in told
    assert [f"row {row}: " in told for row in (2, 6, 7)] == [True, True, False]
    assert told.partition("row 6: ")[2].partition(").")[0].endswith(f"Name, Email, Comments{more}")
