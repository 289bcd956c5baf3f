"""Going on, with the file edited or gone, with two at once; the same file again."""

from __future__ import annotations

import signal
import threading
from collections import Counter

import pytest
from openpyxl import load_workbook

from bulkupdate.sandbox.faults import ScheduledFaults
from tests.conftest import FIRST, find_puts, finish, read_results, wait_until, write_sheet


@pytest.fixture
def stopped(run_program, sandbox, tmp_path):
    """A sheet of 20 rows of which three are sent."""
    sheet = write_sheet(tmp_path / "customers.csv", 20, word="first")
    assert run_program("run", sheet, "--yes", "--limit", 3, "-o", tmp_path / "results.csv").exit_code == 1
    return sheet


def names_of(sandbox, rows):
    return [sandbox.customer(FIRST + at)["Name"] for at in range(rows)]


def test_a_file_edited_before_resume_changes_nothing_that_is_sent(stopped, run_program, sandbox, tmp_path):
    """What was checked at the start is sent, never a mixture."""
    write_sheet(stopped, 25, word="second")
    answer = run_program("resume")
    assert (answer.exit_code, answer.counts) == (0, {"updated": 20})
    assert names_of(sandbox, 20) == [f"first {at}" for at in range(20)]
    assert {line["Name"] for line in read_results(tmp_path / "results.csv")} == {f"first {at}" for at in range(20)}


def test_a_folder_gone_before_resume_with_the_file_asks_for_another_place_of_the_results(
    run_program, sandbox, tmp_path
):
    """Found before the first request, as for a new run. The file is not needed."""
    folder = tmp_path / "gone"
    folder.mkdir()
    run_program("run", write_sheet(folder / "customers.csv", 5), "--yes", "--limit", 1)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    before = len(sandbox.requests)
    refused = run_program("resume")
    assert (refused.exit_code, len(sandbox.requests)) == (2, before)
    answer = run_program("resume", "-o", tmp_path / "elsewhere.csv")
    assert (answer.exit_code, answer.counts) == (0, {"updated": 5})
    assert len(read_results(tmp_path / "elsewhere.csv")) == 5
    assert names_of(sandbox, 5) == [f"row {at}" for at in range(5)]


@pytest.mark.parametrize("named", [pytest.param(True, marks=pytest.mark.long), False])
def test_of_two_resumes_at_once_one_goes_on_and_the_other_is_refused(sandbox, run_program, tmp_path, named):
    """The service answers once one of them has been refused."""
    begun = run_program("run", write_sheet(tmp_path / "customers.csv", 5), "--yes", "--limit", 1)
    refused = threading.Event()
    sandbox.service.plan = lambda call: None if call.kind != "write" or refused.wait(30) else "error-500"
    command = ("resume", begun.told["run"]) if named else ("resume",)
    processes = [run_program.fork(*command, concurrency=2) for _ in range(2)]
    wait_until(lambda: any(process.poll() is not None for process in processes))
    refused.set()
    answers = [finish(process) for process in processes]
    assert sorted(answer.exit_code for answer in answers) == [0, 5]
    assert "being sent by another process" in next(answer.err for answer in answers if answer.exit_code == 5)
    assert Counter(find_puts(sandbox)) == {str(FIRST + at): 1 for at in range(5)}


@pytest.mark.long
def test_a_run_that_is_being_sent_can_be_looked_at_but_not_retried(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(latency_seconds=0.1)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    process = run_program.fork("run", write_sheet(tmp_path / "customers.csv", 20), "--yes", concurrency=2)
    wait_until(lambda: len(find_puts(sandbox)) > 5)
    assert run_program("show").told["state"] == "running"
    assert run_program("retry", "--yes").exit_code == 5
    assert finish(process).counts == {"updated": 20}


def test_a_finished_run_is_not_sent_again_and_its_file_is_warned_of_with_when_and_by_which_run(
    stopped, run_program, sandbox
):
    run_id = run_program("resume").told["run"]
    before = len(sandbox.requests)
    for command in (("resume",), ("resume", run_id)):
        answer = run_program(*command)
        assert answer.exit_code == 0
    assert "nothing to resume" in answer.err
    assert len(sandbox.requests) == before
    asked = run_program("run", stopped)
    assert (asked.exit_code, len(sandbox.requests)) == (2, before)
    for answer in (asked, run_program("run", stopped, "--yes")):
        assert "was sent before" in answer.err
        assert run_id in answer.err
    assert answer.counts == {"updated": 20}


def test_a_row_in_flight_at_a_kill_is_unknown_until_resolved(make_sandbox, run_program, tmp_path):
    """In `show`, its results and its counts: never updated, never absent."""
    sandbox = make_sandbox(plan=lambda call: "slow" if call.customer_id == str(FIRST + 4) else None, slow_seconds=30)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    process = run_program.fork("run", write_sheet(tmp_path / "customers.csv", 10), "--yes", concurrency=1)
    wait_until(lambda: len(find_puts(sandbox)) == 5)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    shown = run_program("show", "-o", tmp_path / "shown.csv")
    assert (shown.told["state"], shown.told["exit_code"]) == ("stopped", 4)
    assert shown.counts == {"updated": 4, "unknown": 1, "not attempted": 5}
    assert [line["Status"] for line in read_results(tmp_path / "shown.csv")][4] == "unknown"
    sandbox.service.plan = None
    assert run_program("resume").counts == {"updated": 10}
    assert Counter(find_puts(sandbox))[str(FIRST + 4)] == 2


KILLED_IN_RESULTS = """
import os, signal
from bulkupdate.spreadsheets.writing import results_workbook
real, count = results_workbook._as_cells, 0
def count_lines(*arguments):
    global count
    count += 1
    if count == 60:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)
results_workbook._as_cells = count_lines
"""


@pytest.mark.long
def test_killed_while_the_results_are_written_the_old_file_stays_whole(run_program, sandbox, tmp_path):
    """Old file or no file, never half; `show -o` and `resume` write it again."""
    sheet, results = write_sheet(tmp_path / "customers.csv", 120), tmp_path / "results.xlsx"
    results.write_bytes(b"the old file")
    process = run_program.fork("run", sheet, "--yes", "--force", "-o", results, patch=KILLED_IN_RESULTS)
    assert finish(process).exit_code == -signal.SIGKILL
    assert results.read_bytes() == b"the old file"
    shown = run_program("show", "-o", tmp_path / "shown.xlsx")
    assert shown.counts == {"updated": 120}
    before = len(find_puts(sandbox))
    resumed = run_program("resume", "--force")
    assert (resumed.exit_code, resumed.told["state"]) == (0, "finished")
    assert len(find_puts(sandbox)) == before == 120
    for path in (results, tmp_path / "shown.xlsx"):
        book = load_workbook(path, read_only=True)
        assert book["Results"].max_row == 121
        book.close()


# --- customers that a newer run has updated meanwhile -----------------------------------------------------------------


@pytest.fixture
def overtaken(run_program, sandbox, tmp_path):
    """A run of five rows that stopped after two, and a corrected file that was sent afterwards; the id of the first."""
    older = run_program("run", write_sheet(tmp_path / "older.csv", 5, word="old"), "--yes", "--limit", 2)
    newer = run_program("run", write_sheet(tmp_path / "newer.csv", 5, word="corrected"), "--yes")
    assert newer.counts == {"updated": 5}
    sandbox.reset_log()
    return older.told["run"]


def test_resume_does_not_overwrite_newer_values_without_being_told(overtaken, run_program, sandbox):
    """Without a terminal there is nobody to ask: nothing is sent, and the newer run is named."""
    for command in (("resume",), ("resume", overtaken)):
        refused = run_program(*command)
        assert (refused.exit_code, find_puts(sandbox)) == (2, [])
        assert "(3 customers)" in refused.err
        assert "--yes" in refused.err
    assert sandbox.customer(FIRST + 4)["Name"] == "corrected 4"
    done = run_program("resume", overtaken, "--yes")
    assert (done.counts, len(find_puts(sandbox))) == ({"updated": 5}, 3)
    assert sandbox.customer(FIRST + 4)["Name"] == "old 4"


@pytest.mark.long
def test_retry_does_not_overwrite_newer_values_either(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(plan=ScheduledFaults(customers={FIRST: ["error-503"]}))
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    failed = run_program("run", write_sheet(tmp_path / "older.csv", 1, word="old"), "--yes", max_attempts=1)
    assert failed.counts == {"failed": 1}
    run_program("run", write_sheet(tmp_path / "newer.csv", 1, word="corrected"), "--yes")
    refused = run_program("retry", failed.told["run"])
    assert refused.exit_code == 2
    assert sandbox.customer(FIRST)["Name"] == "corrected 0"
    assert run_program("retry", failed.told["run"], "--yes").counts == {"updated": 1}


@pytest.mark.long
def test_a_resume_whose_customers_nobody_has_updated_since_needs_no_agreement(run_program, sandbox, tmp_path):
    older = run_program("run", write_sheet(tmp_path / "older.csv", 5), "--yes", "--limit", 2)
    run_program("run", write_sheet(tmp_path / "newer.csv", 2, word="corrected"), "--yes")
    assert run_program("resume", older.told["run"]).counts == {"updated": 5}
