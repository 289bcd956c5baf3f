from __future__ import annotations

import os
from pathlib import Path

import openpyxl
import pytest

from bulkupdate.customers.headings import recognize_headings
from bulkupdate.customers.models import TO_FIX_COLUMNS, Status
from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.reading.sheet import ReadOptions
from bulkupdate.spreadsheets.writing import to_fix_sheet
from bulkupdate.spreadsheets.writing.to_fix_sheet import remove_to_fix, to_fix_path, write_to_fix
from tests.spreadsheets.writing.samples import make_line, make_problem, read_back

HEADINGS = ("Customer ID", "Full Name", "E-mail", "Rating")
RED = "FFFFC7CE"
LINES = [
    make_line(5, Status.REJECTED, ("0163", "=1+1", "", ""), "Customer was not found."),
    make_line(9, Status.INVALID, ("164", "bell\x07", "anna", "superb"), "E-mail: …; Rating: …"),
    make_line(12, Status.INVALID, ("164", "", "", ""), "customer 164 is also in row 9"),
]
PROBLEMS = [
    make_problem(9, "E-mail", "there is no @"),
    make_problem(9, "Rating", "“superb” is not a rating"),
    make_problem(9, "Full Name", "has a control character", warning=True),
    make_problem(12, "", "customer 164 is also in row 9"),
]


@pytest.mark.parametrize("name", ["out.xlsx", "out.csv"])
def test_it_is_a_workbook_beside_the_results(name: str) -> None:
    assert to_fix_path(Path("folder", name)) == Path("folder", "out-to-fix.xlsx")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_to_fix(tmp_path / "fix.xlsx", HEADINGS, iter(LINES), PROBLEMS)
    return tmp_path / "fix.xlsx"


def test_row_number_reason_and_remedy_come_before_the_inputs_own_columns(path: Path) -> None:
    fix = "Write it like anna@example.com."
    assert read_back(path, "Customers") == [
        [*TO_FIX_COLUMNS, *HEADINGS],
        [5, "rejected: Customer was not found.", "Check the customer id: the service does not know it.",
         *LINES[0].original],
        [9, "invalid: E-mail: there is no @\nRating: “superb” is not a rating", fix, *LINES[1].original],
        [12, "invalid: customer 164 is also in row 9 (“anna”)", fix, *LINES[2].original],
    ]  # fmt: skip


def test_it_can_be_given_back_as_it_is(path: Path) -> None:
    sheet = read_sheet(path, ReadOptions(None, {}, 1_000, 100_000, 100_000_000))
    assert sheet.sheet_name == "Customers"
    header = recognize_headings(sheet.headings)
    own = [heading for index, heading in enumerate(header.headings) if index in header.added]
    assert own == list(TO_FIX_COLUMNS)
    assert [sheet.frame.iloc[row, 3:].tolist() for row in range(3)] == [list(line.original) for line in LINES]


def test_reason_and_remedy_stay_in_sight_together_with_the_id(path: Path, tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(path)["Customers"]
    assert (sheet.freeze_panes, sheet.print_title_cols, sheet.print_title_rows) == ("E2", "$A:$D", "$1:$1")
    assert sheet.auto_filter.ref == "A1:G1048576"
    write_to_fix(tmp_path / "far.xlsx", ("a", "b", "c", "d", "CustomerId"), [make_line(original="abcd1")])
    assert openpyxl.load_workbook(tmp_path / "far.xlsx")["Customers"].freeze_panes == "D2", "a far id leaves no room"


def test_reason_and_remedy_break_their_lines(tmp_path: Path) -> None:
    write_to_fix(tmp_path / "fix.xlsx", HEADINGS, [make_line(2, Status.FAILED, ("1", "", "", ""), "wrong " * 60)])
    sheet = openpyxl.load_workbook(tmp_path / "fix.xlsx")["Customers"]
    assert sheet["B2"].alignment.wrap_text
    assert sheet["C2"].alignment.wrap_text
    assert sheet.row_dimensions[2].height >= 5 * 15
    assert sum(sheet.column_dimensions[letter].width for letter in "ABC") <= 90, "room is left for the id"


def test_bad_cells_are_red_with_a_comment_that_says_what_to_do(path: Path) -> None:
    sheet = openpyxl.load_workbook(path)["Customers"]
    red = {cell.coordinate for row in sheet.iter_rows(min_row=2) for cell in row if cell.fill.fgColor.rgb == RED}
    assert red == {"D2", "F3", "G3", "D4"}
    comments = {cell.coordinate: cell.comment.text for row in sheet.iter_rows() for cell in row if cell.comment}
    assert comments.keys() == red
    assert comments["D2"] == "Customer was not found. Check the customer id: the service does not know it."
    assert comments["F3"] == "E-mail: there is no @. Write it like anna@example.com."
    assert {cell.number_format for cell in sheet[3][3:]} == {"@"}, "what is typed stays as typed"


def test_only_the_first_rows_have_comments_so_that_a_large_file_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_fix_sheet, "_COMMENTED_ROWS", 2)
    write_to_fix(tmp_path / "fix.xlsx", HEADINGS, LINES, PROBLEMS)
    sheet = openpyxl.load_workbook(tmp_path / "fix.xlsx")["Customers"]
    assert [bool(sheet[cell].comment) for cell in ("F3", "D4")] == [True, False]
    assert sheet["D4"].fill.fgColor.rgb == RED


def test_it_helps_as_the_template_does(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book["Customers"]
    assert [str(each.sqref) for each in sheet.data_validations.dataValidation] == ["G2:G1048576"]
    assert [str(each.sqref) for each in sheet.conditional_formatting] == ["D2:D1048576"]
    texts = [str(value) for row in book["Instructions"].values for value in row if value]
    assert any("the red cells" in text for text in texts)
    assert {"Email", "Rating"} <= set(texts)


def test_it_holds_customer_data_and_is_for_its_owner_only(path: Path) -> None:
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_only_a_to_fix_file_is_removed(path: Path, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(path)
    book["Customers"]["F3"] = "anna@example.com"
    book.save(path)
    mine = tmp_path / "mine.xlsx"
    openpyxl.Workbook().save(mine)
    for each in (path, mine, tmp_path / "missing.xlsx"):
        remove_to_fix(each)
    assert (path.exists(), mine.exists()) == (False, True)
