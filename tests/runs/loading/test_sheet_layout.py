"""The tables of a file, as they are shown to a user who says what their columns mean."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook

from bulkupdate.runs.loading.sheet_layout import MAX_COLUMNS, MAX_SHEETS, SHOWN_ROWS, find_layouts
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.settings import Settings

Row = list[str]


def find_in_csv(folder: Path, lines: list[Row]):
    path = folder / "a.csv"
    path.write_text("".join(";".join(line) + "\n" for line in lines))
    return find_layouts(path, Settings(state_dir=folder), SheetOptions())


def find_in_workbook(folder: Path, sheets: dict[str, list[Row]]):
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, lines in sheets.items():
        sheet = book.create_sheet(title)
        for line in lines:
            sheet.append(line)
    book.save(folder / "a.xlsx")
    return find_layouts(folder / "a.xlsx", Settings(state_dir=folder), SheetOptions())


def test_known_headings_are_found_below_a_title_and_blank_columns_at_the_end_are_left_out(tmp_path):
    lines = [
        ["Price list", "of May", "", ""],
        ["Kundennr", "Name", "Fax", ""],
        ["163", "Anna", "", ""],
        ["", "", "", ""],
    ]
    (found,) = find_in_csv(tmp_path, [*lines, ["164", "Bert", "7", ""]])
    assert (found.sheet_name, found.number) == (None, 2)
    assert found.headings == ("Kundennr", "Name", "Fax")
    assert found.rows == ((3, ("163", "Anna", "")), (5, ("164", "Bert", "7")))
    assert found.column(1) == ["Anna", "Bert"]


def test_unknown_headings_are_the_row_that_looks_least_like_values(tmp_path):
    """Of rows alike, the first."""
    (found,) = find_in_csv(tmp_path, [["1 May", "2026"], ["Alpha", "Beta"], ["x1", "y@z"], ["Gamma", "Delta"]])
    assert (found.number, found.headings) == (2, ("Alpha", "Beta"))
    assert [number for number, _ in found.rows] == [3, 4]


def test_two_headings_without_a_value_are_more_like_headings_than_four_beside_three_values(tmp_path):
    lines = [["of", "May", "by", "Ann", "1", "2", "3"], ["Alpha", "Beta"], ["x1", "y2"]]
    (found,) = find_in_csv(tmp_path, lines)
    assert found.headings == ("Alpha", "Beta")


def test_a_row_wider_than_the_headings_shows_its_cells(tmp_path):
    (found,) = find_in_csv(tmp_path, [["Alpha", "Beta"], ["1", "2", "3"], ["4", "5"]])
    assert found.headings == ("Alpha", "Beta", "")
    assert found.rows == ((2, ("1", "2", "3")), (3, ("4", "5", "")))


@pytest.mark.parametrize(
    "lines",
    [
        [["Alpha", "Beta"]],
        [["Alpha"], ["1"], ["2"]],
        [["", ""], ["", ""]],
        [[f"Heading {letter}" for letter in range(MAX_COLUMNS + 1)], ["1"] * (MAX_COLUMNS + 1)],
    ],
)
def test_no_rows_one_column_or_too_many_are_no_table(tmp_path, lines):
    assert find_in_csv(tmp_path, lines) == []


def test_the_widest_table_still_shown(tmp_path):
    (found,) = find_in_csv(tmp_path, [["Alpha", "Beta"] * (MAX_COLUMNS // 2), ["1"] * MAX_COLUMNS])
    assert len(found.headings) == MAX_COLUMNS


def test_each_sheet_with_a_table_is_shown_up_to_a_number(tmp_path):
    table = [["Alpha", "Beta"], ["1", "2"]]
    found = find_in_workbook(tmp_path, {"Cover": [["Hello"]], "One": table, "Two": [*table, ["3", "4"]]})
    assert [(each.sheet_name, len(each.rows)) for each in found] == [("One", 1), ("Two", 2)]
    many = find_in_workbook(tmp_path, {f"Sheet {number}": table for number in range(MAX_SHEETS + 1)})
    assert len(many) == MAX_SHEETS


def test_the_first_rows_and_the_beginning_of_long_texts_are_shown(tmp_path):
    (found,) = find_in_csv(tmp_path, [["Alpha", "Beta"], *([str(row), "long " * 200] for row in range(SHOWN_ROWS + 5))])
    assert [cells[0] for _, cells in found.rows] == [str(row) for row in range(SHOWN_ROWS)]
    assert len(found.rows[0][1][1]) == 500


def test_what_the_columns_may_mean_is_guessed_from_headings_and_texts(tmp_path):
    (found,) = find_in_csv(tmp_path, [["Kundennr", "Emial", "Notes of ours"], ["163", "a@example.com", "call"]])
    guess = found.guess(Settings(state_dir=tmp_path))
    assert [field.name if field else None for field in guess] == ["CustomerId", "Email", None]
