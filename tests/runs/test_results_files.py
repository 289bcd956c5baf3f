"""The files of a run: no old to-fix file beside clean results, and results that cannot be written are not named."""

from __future__ import annotations

from pathlib import Path

import openpyxl

from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal_report import report_ending
from bulkupdate.spreadsheets.writing.results_workbook import to_fix_path
from tests.conftest import FIRST, write_csv, write_sheet
from tests.runs.in_process import Driver


def test_an_old_to_fix_file_does_not_stay_beside_clean_results(run_program, tmp_path) -> None:
    sheet = write_sheet(tmp_path / "in.csv", 4)
    to_fix = tmp_path / "r-to-fix.xlsx"
    run_program("run", sheet, "--yes", "--limit", 1, "-o", "r.xlsx")
    assert to_fix.exists()
    assert run_program("resume").counts == {"updated": 4}
    assert not to_fix.exists()
    bad = write_csv(tmp_path / "bad.csv", [["CustomerId", "Email"], [FIRST, "anna"]])
    run_program("run", bad, "--yes", "--skip-invalid", "-o", "r.csv")
    book = openpyxl.load_workbook(to_fix)
    book["Customers"]["B2"] = "anna@example.com"
    book.save(to_fix)
    assert run_program("run", sheet, "--yes", "-o", "r.csv").counts == {"updated": 4}
    assert not to_fix.exists()


def test_a_file_of_the_users_with_the_name_of_a_to_fix_file_stays(run_program, tmp_path) -> None:
    sheet = write_sheet(tmp_path / "in.csv", 1)
    book = openpyxl.Workbook()
    book.active.title = "Customers"
    book.active.append(["CustomerId", "Reason"])
    book.save(tmp_path / "r-to-fix.xlsx")
    (tmp_path / "s-to-fix.xlsx").write_text("mine")
    for name in ("r", "s"):
        assert run_program("run", sheet, "--yes", "-o", f"{name}.xlsx").exit_code == 0
        assert (tmp_path / f"{name}-to-fix.xlsx").exists()


def test_results_that_could_not_be_written_are_null_and_next_writes_them(run_program, sandbox, tmp_path) -> None:
    driver = Driver(sandbox.base_url, tmp_path)
    run = driver.begin(write_csv(tmp_path / "in.csv", [["CustomerId", "Name"], [FIRST, "a"], [999, "unknown"]]))
    to_fix_path(Path(run.results_path)).mkdir()
    ending = driver.execute_run(run)
    with Journal(tmp_path / "state", driver.clock) as journal:
        told = report_ending(ending, journal, tmp_path / "state")
    assert Path(run.results_path).exists()  # the results themselves, but not all that belongs to them
    assert (told.results, told.exit_code) == (None, 1)
    assert told.next_command == f"bulkupdate show {run.id} -o results-{run.id}.xlsx"
    to_fix_path(Path(run.results_path)).rmdir()
    again = run_program(*told.next_command.split()[1:])
    assert again.told["results"] == f"results-{run.id}.xlsx"
    assert (tmp_path / f"results-{run.id}.xlsx").exists()
