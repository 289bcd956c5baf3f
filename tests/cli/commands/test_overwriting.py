"""No command overwrites a file that bulkupdate did not write, unless `--force` is given."""

from __future__ import annotations

import pytest
from openpyxl import load_workbook

from tests.conftest import FIRST, write_csv, write_sheet

MINE = b"CustomerId,Name\n1,typed by a user\n"


@pytest.fixture
def sheet(tmp_path):
    return write_sheet(tmp_path / "in.csv", 2)


@pytest.mark.parametrize(
    "command",
    [
        ("template", "-o", "mine.xlsx"),
        ("template", "-o", "mine.csv"),
        ("check", "in.csv", "-o", "mine.xlsx"),
        ("check", "in.csv", "--html", "mine.html"),
        ("run", "in.csv", "--dry-run", "-o", "mine.xlsx"),
        ("run", "in.csv", "--yes", "-o", "mine.xlsx"),
        ("run", "in.csv", "--yes", "-o", "mine.csv"),
        ("show", "-o", "mine.xlsx"),
        ("show", "--rows", "-o", "mine.jsonl"),
        ("show", "--rows", "-o", "mine.parquet"),
        ("export", "--ids", "in.csv", "-o", "mine.xlsx"),
        ("match", "in.csv", "--key", "Email", "-o", "mine.xlsx"),
    ],
)
def test_a_file_of_the_user_stays_unless_forced(run_program, sandbox, tmp_path, sheet, command):
    if command[0] == "show":
        run_program("run", sheet, "--yes")
    before = len(sandbox.requests)
    mine = tmp_path / command[-1]
    mine.write_bytes(MINE)
    refused = run_program(*command)
    assert (refused.exit_code, mine.read_bytes()) == (2, MINE)
    assert f"{mine.name} exists (last changed 20" in refused.err
    assert "or add --force" in refused.err
    assert len(sandbox.requests) == before
    assert run_program(*command, "--force").exit_code in (0, 1)
    assert mine.read_bytes() != MINE


def test_undo_resume_and_retry_leave_a_file_of_the_user_too(run_program, sandbox, tmp_path):
    mine = tmp_path / "mine.xlsx"
    mine.write_bytes(MINE)
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Name"], [FIRST, "A"], [999, "B"], [FIRST + 1, "C"]])
    stopped = run_program("run", sheet, "--yes", "--snapshot", "--limit", 2).told["run"]
    for command in (("undo", stopped), ("resume", stopped), ("retry", stopped)):
        assert run_program(*command, "-o", "mine.xlsx").exit_code == 2
        assert mine.read_bytes() == MINE
    assert run_program("resume", stopped, "-o", "mine.xlsx", "--force").exit_code == 1


def test_a_file_that_bulkupdate_wrote_is_written_again(run_program, sandbox, tmp_path, sheet):
    for command in (
        ("template",),
        ("check", sheet, "-o", "report.xlsx", "--html", "report.html"),
        ("run", sheet, "--yes", "-o", "results.xlsx"),
        ("run", sheet, "--yes", "-o", "results.csv"),
        ("show", "--rows", "-o", "rows.jsonl"),
        ("show", "--rows", "-o", "rows.parquet"),
        ("export", "--ids", sheet, "-o", "export.xlsx"),
    ):
        for _ in range(2):
            assert run_program(*command).exit_code == 0, command


def test_a_template_that_was_filled_in_is_not_written_again(run_program, tmp_path):
    assert run_program("template").exit_code == 0
    book = load_workbook(tmp_path / "customers.xlsx")
    book["Customers"]["A2"] = "163"
    book.save(tmp_path / "customers.xlsx")
    refused = run_program("template", json=False)
    assert refused.exit_code == 2
    assert "customers.xlsx exists" in refused.err
    assert load_workbook(tmp_path / "customers.xlsx")["Customers"]["A2"].value == "163"


def test_a_to_fix_file_that_was_corrected_is_not_written_again(run_program, tmp_path):
    sheet = write_csv(tmp_path / "in.csv", [["CustomerId", "Name", "Email"], [FIRST, "A", "x"], [FIRST + 1, "B", ""]])
    run_program("run", sheet, "--yes", "--skip-invalid", "-o", "out.xlsx")
    book = load_workbook(tmp_path / "out-to-fix.xlsx")
    book.active["B2"] = "corrected"
    book.save(tmp_path / "out-to-fix.xlsx")
    refused = run_program("show", "-o", "out.xlsx")
    assert refused.exit_code == 2
    assert "out-to-fix.xlsx exists" in refused.err


def test_the_input_is_never_overwritten_not_even_with_force(run_program, tmp_path, sheet):
    before = sheet.read_bytes()
    for command in (("run", sheet, "--yes"), ("export", "--ids", sheet), ("match", sheet, "--key", "Email")):
        assert run_program(*command, "-o", sheet, "--force").exit_code == 2
    assert sheet.read_bytes() == before


def test_a_wrong_place_is_found_before_the_file_is_read(run_program):
    for command in ("run", "check"):
        refused = run_program(command, "missing.csv", "-o", "nowhere/out.xlsx")
        assert (refused.exit_code, "nowhere does not exist" in refused.err) == (2, True)
        refused = run_program(command, "missing.csv", "-o", "")
        assert (refused.exit_code, "its name must end in .xlsx" in refused.err) == (2, True)
