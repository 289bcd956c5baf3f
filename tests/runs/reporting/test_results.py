"""The files of a run: what the to-fix file holds, when it stays, and results that cannot be written."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.journal_report import report_result
from bulkupdate.runs.reporting.results import default_results_path
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.spreadsheets.writing.to_fix_sheet import to_fix_path
from bulkupdate.text import quote_argument
from tests.conftest import FIRST, find_puts, write_csv, write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver

BAD = [[FIRST + 50, "anna"], [999, "unknown@example.com"]]
"""A row that a check refuses, and one that the service refuses."""


def write_mixed(path: Path, good: int = 3) -> Path:
    """Rows that go through, and below them two that have to be corrected."""
    rows = [[FIRST + at, f"a{at}@example.com"] for at in range(good)]
    return write_csv(path, [["CustomerId", "Email"], *rows, *BAD])


def read_ids(to_fix: Path) -> list[str]:
    sheet = openpyxl.load_workbook(to_fix)["Customers"]
    column = [cell.value for cell in sheet[1]].index("CustomerId") + 1
    return [str(sheet.cell(row, column).value) for row in range(2, sheet.max_row + 1)]


def test_the_to_fix_file_holds_the_rows_that_a_user_can_correct_and_next_gives_it_back(run_program, tmp_path) -> None:
    done = run_program("run", write_mixed(tmp_path / "in.csv"), "--yes", "--skip-invalid", "-o", tmp_path / "r.xlsx")
    to_fix = tmp_path / "r-to-fix.xlsx"
    assert done.counts == {"updated": 3, "invalid": 1, "rejected": 1}
    assert read_ids(to_fix) == [str(FIRST + 50), "999"]
    assert done.told["to_fix"] == str(to_fix)
    assert done.told["next"] == f"bulkupdate run {quote_argument(to_fix)}", "a 404 is not sent again as it is"
    assert f"Correct 2 rows in {to_fix}." in done.err
    assert "retry" not in done.err
    shown = run_program("show")
    assert (shown.told["to_fix"], shown.told["next"]) == (done.told["to_fix"], done.told["next"])
    to_fix.unlink()
    shown = run_program("show")
    assert shown.told["to_fix"] is None
    assert shown.told["next"].startswith(f"bulkupdate show {shown.told['run']} -o "), "it is written again"


def test_after_a_stop_what_waits_for_resume_is_said_and_not_listed_to_be_fixed(run_program, tmp_path) -> None:
    sheet = write_mixed(tmp_path / "in.csv", 10)
    stopped = run_program("run", sheet, "--yes", "--skip-invalid", "--limit", 4, "-o", tmp_path / "r.xlsx")
    assert stopped.counts == {"updated": 4, "invalid": 1, "not attempted": 7}
    assert read_ids(tmp_path / "r-to-fix.xlsx") == [str(FIRST + 50)]
    assert "7 rows wait for `resume`." in stopped.err
    assert stopped.told["next"] == f"bulkupdate resume {stopped.told['run']}"


@pytest.mark.long
def test_rows_that_failed_for_a_time_wait_for_retry_and_are_not_to_be_fixed(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(plan=ScheduledFaults(customers={FIRST: ["error-503"]}))
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_mixed(tmp_path / "in.csv")
    done = run_program("run", sheet, "--yes", "--skip-invalid", "-o", tmp_path / "r.xlsx", max_attempts=1)
    assert done.counts == {"updated": 2, "invalid": 1, "rejected": 1, "failed": 1}
    assert read_ids(tmp_path / "r-to-fix.xlsx") == [str(FIRST + 50), "999"]
    assert "1 row waits for `retry`." in done.err
    assert done.told["next"] == f"bulkupdate retry {done.told['run']}"
    again = run_program("retry", done.told["run"], "--yes")
    assert again.counts == {"updated": 1, "rejected": 1}
    assert again.told["parent"] == done.told["run"]
    assert again.told["next"].startswith("bulkupdate run "), "the rejected row is not retried for ever"


@pytest.mark.long
def test_an_old_to_fix_file_does_not_stay_beside_clean_results(run_program, tmp_path) -> None:
    sheet = write_sheet(tmp_path / "in.csv", 4)
    to_fix = tmp_path / "r-to-fix.xlsx"
    bad = write_csv(tmp_path / "bad.csv", [["CustomerId", "Email"], [FIRST, "anna"]])
    for is_edited in (False, True):
        run_program("run", bad, "--yes", "--skip-invalid", "-o", "r.csv")
        assert to_fix.exists()
        if is_edited:
            book = openpyxl.load_workbook(to_fix)
            book["Customers"]["B2"] = "anna@example.com"
            book.save(to_fix)
            assert run_program("run", sheet, "--yes", "-o", "r.csv").exit_code == 2, "corrections are not lost"
        force = ["--force"] if is_edited else []
        assert run_program("run", sheet, "--yes", "-o", "r.csv", *force).counts == {"updated": 4}
        assert not to_fix.exists()


def test_a_file_of_the_users_with_the_name_of_a_to_fix_file_stays(run_program, tmp_path) -> None:
    sheet = write_sheet(tmp_path / "in.csv", 1)
    book = openpyxl.Workbook()
    book.active.title = "Customers"
    book.active.append(["CustomerId", "Reason"])
    book.save(tmp_path / "r-to-fix.xlsx")
    (tmp_path / "s-to-fix.xlsx").write_text("mine")
    for name in ("r", "s"):
        assert run_program("run", sheet, "--yes", "-o", f"{name}.xlsx").exit_code == 2
        assert run_program("run", sheet, "--yes", "-o", f"{name}.xlsx", "--force").exit_code == 0
        assert (tmp_path / f"{name}-to-fix.xlsx").exists()


@pytest.mark.parametrize("customer", [999, FIRST + 1])
def test_results_that_could_not_be_written_are_no_success(run_program, sandbox, tmp_path, customer) -> None:
    """Exit code 4 whatever became of the rows, a problem that says why, and the command that writes them."""
    driver = Driver(sandbox.base_url, tmp_path)
    run = driver.begin(write_csv(tmp_path / "in.csv", [["CustomerId", "Name"], [FIRST, "a"], [customer, "b"]]))
    Path(run.results_path).mkdir()
    result = driver.execute_run(run)
    with Journal(place_of(driver.state), driver.clock) as journal:
        told = report_result(result, journal).to_json()
    assert len(find_puts(sandbox)) == 2
    assert (told["state"], told["exit_code"], told["results"], told["to_fix"]) == ("finished", 4, None, None)
    assert [problem["code"] for problem in told["problems"]] == ["results-not-written"]
    assert told["next"] == f"bulkupdate show {run.id} -o results-{run.id}.xlsx"
    again = run_program(*told["next"].split()[1:])
    assert again.told["results"] == f"results-{run.id}.xlsx"
    assert (tmp_path / f"results-{run.id}.xlsx").exists()


def test_results_without_their_to_fix_file_are_not_whole(sandbox, tmp_path) -> None:
    driver = Driver(sandbox.base_url, tmp_path)
    run = driver.begin(write_csv(tmp_path / "in.csv", [["CustomerId", "Name"], [999, "unknown"]]))
    to_fix_path(Path(run.results_path)).mkdir()
    result = driver.execute_run(run)
    assert Path(run.results_path).exists()
    assert (result.results, result.exit_code) == (None, 4)


@pytest.mark.parametrize("name", ["in.csv", "in-results-20260114-093849-k3v9x2mq-to-fix.xlsx"])
def test_the_name_of_results_does_not_grow_with_each_corrected_file(name) -> None:
    assert default_results_path(Path("x") / name, "20260115-1") == Path("x/in-results-20260115-1.xlsx")
