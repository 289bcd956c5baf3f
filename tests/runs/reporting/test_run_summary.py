"""The sheet Summary of the results, and the `--json` object of a run that is over or is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.customers.row_reasons import RowReason
from bulkupdate.errors import (
    BulkUpdateError,
    BusyError,
    ExitCode,
    InputFileError,
    InternalError,
    InterruptedRunError,
    JournalError,
    ServiceDownError,
    UsageError,
)
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.journal_report import find_unfinished, report_run
from bulkupdate.runs.reporting.results import describe_run, summarise_run
from bulkupdate.runs.reporting.run_report import RunReport, name_error, report_failure, report_sheet
from bulkupdate.runs.reporting.run_result import RunResult
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import Run, RunOptions, RunState, StatusCounts
from bulkupdate.text import SuggestedCommand
from tests.conftest import FIRST, write_csv
from tests.postgres import place_of
from tests.runs.in_process import Driver


@pytest.fixture
def driver(tmp_path: Path) -> Driver:
    return Driver("http://127.0.0.1:9/rest/api", tmp_path)


@pytest.fixture
def run(driver: Driver, tmp_path: Path) -> Run:
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name"], [FIRST, "a"], [FIRST + 1, ""]])
    return driver.begin(sheet, snapshot=True, canary=3)


def test_a_run_that_has_not_begun_is_described_without_what_it_lacks(run: Run) -> None:
    lines = dict(describe_run(run))
    assert (lines["File"], lines["Run"], lines["State"], lines["Rows"]) == (run.file, run.id, "stopped", 2)
    assert (lines["Requests used"], lines["Service"], lines["Sent by host"]) == (0, "127.0.0.1:9", run.machine)
    assert (lines["Ended (UTC)"], lines["Started (UTC)"]) == ("", run.started)
    assert "Ended (local time)" not in lines
    assert {name: lines[name] for name in lines if name.startswith("Option")} == {
        "Option snapshot": "yes", "Option canary": "3",
    }  # fmt: skip
    assert not {"Sheet", "Stopped because", "Retries rows of run", "Undoes run"} & lines.keys()


def test_what_a_run_has_is_described(run: Run) -> None:
    options = RunOptions(undo="r0", sheet="May", recipe_text="[columns]", key_field="Email", key_heading="Mail")
    over = replace(
        run, options=options, parent="r0", stopped_by="Because.", finished="2026-01-14T09:38:49Z", machine="",
        settings={"concurrency": "4", "team": ""},
    )  # fmt: skip
    lines = dict(summarise_run(over))
    assert (lines["Sheet"], lines["Stopped because"], lines["Undoes run"]) == ("May", "Because.", "r0")
    assert lines["Ended (UTC)"] == "2026-01-14T09:38:49Z"
    assert "Ended (local time)" in lines
    assert "Sent by host" not in lines
    assert [name for name in lines if name.startswith(("Option", "Setting"))] == ["Option undo", "Setting concurrency"]
    assert dict(describe_run(replace(over, options=RunOptions())))["Retries rows of run"] == "r0"


@pytest.mark.parametrize(
    ("counts", "state", "expected"),
    [
        ({Status.UPDATED: 1, Status.UNCHANGED: 1}, RunState.FINISHED, ExitCode.DONE),
        ({Status.UPDATED: 1, Status.REJECTED: 1}, RunState.FINISHED, ExitCode.INCOMPLETE),
        ({Status.UPDATED: 1, Status.UNCHANGED: 1}, RunState.STOPPED, ExitCode.STOPPED),
    ],
)
def test_only_a_finished_run_with_all_rows_well_is_done(
    run: Run, driver: Driver, counts: dict[Status, int], state: RunState, expected: ExitCode
) -> None:
    with Journal(place_of(driver.state), driver.clock) as journal:
        journal.tally = lambda _run: StatusCounts(counts)  # type: ignore[method-assign]
        told = report_run(replace(run, state=state), journal).to_json()
    assert (told["exit_code"], told["state"], told["rows"]) == (expected, state, 2)
    assert told["counts"] == counts
    assert (told["results"], told["to_fix"], told["ended"], told["sheet"]) == (None, None, None, None)


def test_the_files_of_a_run_are_named_if_they_are_there(run: Run, driver: Driver) -> None:
    results = Path(run.results_path)
    to_fix = results.with_name(f"{results.stem}-to-fix.xlsx")
    for path in (results, to_fix):
        path.touch()
    with Journal(place_of(driver.state), driver.clock) as journal:
        told = report_run(run, journal).to_json()
        assert (told["results"], told["to_fix"]) == (str(results), None), "no row is to be corrected"
        journal.tally = lambda _run: StatusCounts({Status.INVALID: 1})  # type: ignore[method-assign]
        assert report_run(run, journal).to_json()["to_fix"] == str(to_fix)


def test_a_run_whose_process_is_gone_is_not_running(run: Run, driver: Driver) -> None:
    with Journal(place_of(driver.state), driver.clock) as journal:
        journal.set_state(run, RunState.RUNNING)
        running = journal.find_run(run.id)
        assert report_run(running, journal).state is RunState.STOPPED
        with lock_run(journal, run.id):
            assert report_run(running, journal).state is RunState.RUNNING
        assert find_unfinished(journal) == running
        journal.set_options(run, RunOptions(probe=True))
        assert find_unfinished(journal) is None


@pytest.mark.parametrize(
    ("error", "results_error", "counts", "expected"),
    [
        (None, None, {Status.UPDATED: 1}, ExitCode.DONE),
        (None, None, {Status.FAILED: 1}, ExitCode.INCOMPLETE),
        (None, UsageError("x"), {Status.UPDATED: 1}, ExitCode.STOPPED),
        (InterruptedRunError("x"), UsageError("x"), {Status.UPDATED: 1}, ExitCode.INTERRUPTED),
    ],
)
def test_the_exit_code_is_that_of_the_worst(
    run: Run, error: BulkUpdateError | None, results_error: BulkUpdateError | None, counts: dict[Status, int],
    expected: ExitCode,
) -> None:  # fmt: skip
    result = RunResult(run, StatusCounts(counts), error, None, None, results_error)
    assert result.exit_code is expected


def test_a_finished_run_without_results_is_shown_and_a_stopped_one_is_continued(run: Run) -> None:
    tally = StatusCounts({Status.UPDATED: 1})
    finished = RunResult(replace(run, state=RunState.FINISHED), tally, None, None, None, UsageError("x"))
    assert finished.next_command == finished.show_command
    assert str(replace(finished, run=run).next_command) == f"bulkupdate resume {run.id}"
    assert replace(finished, results_error=None).next_command is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BusyError("x"), "busy"), (JournalError("x"), "journal"), (ServiceDownError("x"), "service-down"),
        (InputFileError("x"), "refused-file"), (InternalError("x"), "bug"),
    ],
)  # fmt: skip
def test_an_error_has_the_code_of_its_kind(error: BulkUpdateError, code: str) -> None:
    assert name_error(error) == code


def test_a_failure_is_a_problem_of_no_row() -> None:
    told = report_failure(UsageError("It failed."), Path("a.csv"), None).to_json()
    assert (told["file"], told["run"], told["state"], told["exit_code"]) == ("a.csv", None, "stopped", ExitCode.USAGE)
    assert told["problems"] == [{"row": None, "column": None, "code": "usage", "message": "It failed."}]
    assert report_failure(UsageError("x"), None, "r1").to_json()["file"] is None


def test_a_sheet_that_was_written_is_the_result() -> None:
    command = SuggestedCommand("run", "u.xlsx")
    told = report_sheet("a.csv", 3, 2, ExitCode.DONE, Path("u.xlsx"), command).to_json()
    assert (told["rows"], told["calls"], told["results"], told["state"]) == (3, 2, "u.xlsx", "finished")
    assert told["next_args"] == ["bulkupdate", "run", "u.xlsx"]
    assert report_sheet("a.csv", 0, 0, ExitCode.DONE, None, None).to_json()["next_args"] is None


def test_at_most_a_hundred_reasons_are_listed() -> None:
    reasons = tuple(RowReason(Status.FAILED, f"m{at}", 1, (at,)) for at in range(101))
    told = RunReport(run=None, file=None, state=RunState.STOPPED, exit_code=ExitCode.STOPPED, reasons=reasons).to_json()
    assert len(told["reasons"]) == 100
    assert told["reasons"][0] == {"status": "failed", "message": "m0", "count": 1, "rows": [0]}
