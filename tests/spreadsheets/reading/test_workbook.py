"""Workbooks: which sheet, hidden and merged parts, formatted blank rows, and the other Excel formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading import workbook
from bulkupdate.spreadsheets.reading.xlsx_scan import _count_columns
from tests.spreadsheets.reading.making import (
    HEADING_ROW,
    HEADINGS,
    MAIN,
    codes,
    read,
    texts,
    value_of,
    write_raw_xlsx,
    write_sheets,
    write_xlsx,
)

TABLE: list[list[object]] = [["CustomerId", "Name"], [163, "Ann"]]
INSTRUCTIONS: list[list[object]] = [
    ["Field", "Meaning"],
    ["CustomerId", "The customer to update"],
    ["Name", "First and last"],
]


def test_the_only_sheet_with_a_key_column_is_taken(tmp_path: Path) -> None:
    path = write_sheets(tmp_path, {"Instructions": INSTRUCTIONS, "Results": TABLE, "Summary": [["Rows", 1]]})
    assert read(path).sheet_name == "Results"


def test_two_sheets_with_a_key_column_are_refused_by_name(tmp_path: Path) -> None:
    path = write_sheets(tmp_path, {"May": TABLE, "June": TABLE})
    with pytest.raises(InputFileError, match="May, June"):
        read(path)
    assert read(path, sheet="june").sheet_name == "June"


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="Its sheets: May"):
        read(write_sheets(tmp_path, {"May": TABLE}), sheet="July")


def test_a_hidden_sheet_is_taken_by_name_only(tmp_path: Path) -> None:
    path = write_sheets(tmp_path, {"Front": [["hello"]], "Old": TABLE}, hidden=("Old",))
    with pytest.raises(InputFileError, match="hidden sheets were not searched: Old"):
        read(path)
    assert texts(read(path, sheet="Old")) == [["163", "Ann"]]


def test_hidden_rows_and_columns_are_read_and_said(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.append([163, "Ann"])
        sheet.append([164, "Bob"])
        sheet.row_dimensions[2].hidden = True
        sheet.column_dimensions["B"].hidden = True

    sheet = read(write_xlsx(tmp_path, fill))
    assert [row[:2] for row in texts(sheet)] == [["163", "Ann"], ["164", "Bob"]]
    assert "1 hidden row was read." in sheet.notes
    assert "1 hidden column was read." in sheet.notes


CUSTOMER_ROW = '<row r="2"><c r="A2"><v>163</v></c><c r="B2" s="0"><v>0</v></c></row>'


def test_number_formats_of_rules_are_not_those_of_cells(tmp_path: Path) -> None:
    """Programs such as openpyxl give both the same numbers."""
    styles = (
        '<numFmts><numFmt numFmtId="164" formatCode="000"/></numFmts><cellXfs><xf numFmtId="164"/></cellXfs>'
        '<dxfs><dxf><numFmt numFmtId="164" formatCode="0%"/></dxf></dxfs>'
    )
    rule = '<conditionalFormatting sqref="B2"><cfRule type="expression" dxfId="0"/></conditionalFormatting>'
    rows = HEADING_ROW + CUSTOMER_ROW
    sheet = read(write_raw_xlsx(tmp_path / "rule.xlsx", rows, styles=styles, after=rule))
    assert value_of(sheet, "Name") == "000"
    assert [note[:42] for note in sheet.notes] == ["Number formats of conditional formatting w"]
    assert not read(write_raw_xlsx(tmp_path / "none.xlsx", rows, styles=styles)).notes


@pytest.mark.parametrize("comment", ["", "<!-- parsed, as no program writes this -->"])
def test_two_rows_of_one_number_are_refused_and_hidden_zeros_are_said(tmp_path: Path, comment: str) -> None:
    view = '<sheetViews><sheetView showZeros="0"/></sheetViews>'
    start = f'<worksheet xmlns="{MAIN}">{comment}{view}<sheetData>{HEADING_ROW}{CUSTOMER_ROW}'
    end = "</sheetData></worksheet>"
    sheet = read(write_raw_xlsx(tmp_path / "zeros.xlsx", "", root=start + end))
    assert (value_of(sheet, "Name"), sheet.notes[0][:29]) == ("0", "The sheet shows zeros as blan")
    with pytest.raises(InputFileError, match="two rows 2"):
        read(write_raw_xlsx(tmp_path / "twice.xlsx", "", root=start + CUSTOMER_ROW + end))
    with pytest.raises(InputFileError, match=r"two rows 1\."):
        read(write_raw_xlsx(tmp_path / "first.xlsx", "", root=start + HEADING_ROW + end))


def test_cells_merged_over_rows_are_an_error_on_the_covered_rows(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        for row in (2, 3, 4):
            sheet.cell(row, 1, row)
        sheet["B2"] = "Ann"
        sheet.merge_cells("B2:B4")

    sheet = read(write_xlsx(tmp_path, fill))
    assert [(problem.row, problem.column, problem.code) for problem in sheet.problems] == [
        (3, "Name", "merged"),
        (4, "Name", "merged"),
    ]


def test_more_merged_cells_than_can_be_listed_refuse_the_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(sheet: Worksheet) -> None:
        for row in (2, 3, 4):
            sheet.cell(row, 1, row)
        sheet.merge_cells("B2:B4")

    path = write_xlsx(tmp_path, fill)
    monkeypatch.setattr(workbook, "MAX_MERGED_CELLS", 2)
    assert codes(read(path)) == ["merged", "merged"]
    monkeypatch.setattr(workbook, "MAX_MERGED_CELLS", 1)
    with pytest.raises(InputFileError, match="too many merged cells"):
        read(path)


def test_merged_titles_are_fine(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.append([163, "Ann"])
        sheet.insert_rows(1)
        sheet["A1"] = "Customers"
        sheet.merge_cells("A1:F1")

    sheet = read(write_xlsx(tmp_path, fill))
    assert not sheet.problems
    assert sheet.header.number == 2


def test_columns_keep_their_places_where_the_table_begins_further_right(tmp_path: Path) -> None:
    path = write_sheets(tmp_path, {"a": [[], [None, "CustomerId", None, "Name"], [None, 163, None, "Ann"]]})
    sheet = read(path)
    assert sheet.headings == ("", "CustomerId", "", "Name")
    assert texts(sheet) == [["", "163", "", "Ann"]]


def test_formatted_blank_rows_are_no_rows(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx", {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        date = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, HEADINGS)
        for row in range(1, 11):
            sheet.write_row(row, 0, [row, "Ann"])
        for row in range(11, 20_000):
            for column in range(6):
                sheet.write_blank(row, column, None, date)
        sheet.write_blank(1_048_575, 16_383, None, date)
    assert read(tmp_path / "a.xlsx").frame.shape == (10, 6)


def test_a_stray_cell_far_off_is_refused_by_its_place(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet["A2"] = 163
        sheet["XFD1048576"] = "x"

    with pytest.raises(InputFileError, match="row 1,048,576 and column 16,384"):
        read(write_xlsx(tmp_path, fill))


@pytest.mark.parametrize(("place", "is_read"), [("AZ1", True), ("XFD1", False)])
def test_a_note_to_the_right_of_the_table_is_read_up_to_a_thousand_columns(
    tmp_path: Path, place: str, is_read: bool
) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet["A2"] = 163
        sheet[place] = "x"

    path = write_xlsx(tmp_path, fill)
    if is_read:
        assert texts(read(path))[0][0] == "163"
    else:
        with pytest.raises(InputFileError, match="column 16,384"):
            read(path)


def test_limits_are_named_with_the_setting_that_raises_them(tmp_path: Path) -> None:
    path = write_sheets(tmp_path, {"a": [["CustomerId", "Name"], [1, "a"], [2, "b"]]})
    for changed, setting in (
        ({"max_rows": 1}, "BULKUPDATE_MAX_ROWS"),
        ({"max_cells": 3}, "BULKUPDATE_MAX_CELLS"),
        ({"max_unpacked_bytes": 9000}, "BULKUPDATE_MAX_UNPACKED_BYTES"),
    ):
        with pytest.raises(InputFileError) as caught:
            read(path, **changed)
        assert setting in str(caught.value.remedy)


def test_the_nearest_sheet_is_proposed(tmp_path: Path) -> None:
    path = write_sheets(tmp_path, {"May": TABLE, "June 2026": TABLE})
    with pytest.raises(InputFileError, match="Its sheets: May, June 2026") as refused:
        read(path, sheet="june")
    assert refused.value.remedy == 'Name one of them: `--sheet "June 2026"`.'
    with pytest.raises(InputFileError) as refused:
        read(path)
    assert refused.value.remedy == "Say which one is meant: `--sheet May`."


def test_a_sheet_of_ids_alone_counts_if_there_is_no_better_one(tmp_path: Path) -> None:
    path = write_sheets(tmp_path, {"Notes": [["hello"]], "Ids": [["CustomerId"], [163]]})
    assert texts(read(path)) == [["163"]]
    path = write_sheets(tmp_path, {"Ids": [["CustomerId"], [163]], "Customers": TABLE})
    assert read(path).sheet_name == "Customers"


def test_what_stands_in_the_first_row_is_said_if_there_is_no_key_column(tmp_path: Path) -> None:
    path = write_sheets(tmp_path, {"Blank": [], "A": [[" "], ["Nr", "Name"]], "B": [["x"]]})
    with pytest.raises(InputFileError, match=r"has no column CustomerId in its first 30 rows\. Found: Nr, Name\."):
        read(path)
    with pytest.raises(InputFileError, match=r"The sheet “B” has no column CustomerId .* Found: x\."):
        read(path, sheet="B")


def test_cells_merged_to_the_side_are_an_error_beside_the_first(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.append([163, "Ann"])
        sheet.append([164, "Bob"])
        sheet.merge_cells("B2:C3")

    found = [(each.row, each.column) for each in read(write_xlsx(tmp_path, fill)).problems]
    assert found == [(2, "Email"), (3, "Name"), (3, "Email")]


def test_several_hidden_rows_and_columns_are_counted(tmp_path: Path) -> None:
    def fill(sheet: Worksheet) -> None:
        for row in (2, 3, 4):
            sheet.append([row, "Ann", "", "", "=1", None])
            sheet.row_dimensions[row].hidden = row > 2
        for column in "BC":
            sheet.column_dimensions[column].hidden = True

    assert read(write_xlsx(tmp_path, fill)).notes[:2] == ("2 hidden rows were read.", "2 hidden columns were read.")


@pytest.mark.parametrize("ending", ["xls", "ods", "xlsx"])
def test_files_of_libreoffice_are_read_alike(libreoffice: Callable[[str], Path], ending: str) -> None:
    """One workbook, saved by LibreOffice in each format, gives the same texts and problems."""
    sheet = read(libreoffice(ending), sheet="Customers")
    assert sheet.row_numbers.tolist() == [2, 3, 4, 6]
    assert texts(sheet)[0] == ["163", "Ann", "#N/A", "(555) 000-1234", "12.50", "a\nb"]
    assert texts(sheet)[1] == ["164", "007", "", "5550001234", "2.345" if ending == "-" else "2.35", "2026-01-14"]
    found = [(problem.row, problem.column, problem.code) for problem in sheet.problems]
    assert found == [
        (2, "Email", "error-cell"), (3, "AccountManager1Commission", "rounded-display"), (3, "Comments", "date"),
        (6, "Name", "merged"),
    ]  # fmt: skip
    assert "1 hidden row was read." in sheet.notes


@pytest.mark.parametrize("ending", ["xls", "ods"])
def test_hidden_sheets_of_other_formats_are_not_taken(libreoffice: Callable[[str], Path], ending: str) -> None:
    assert read(libreoffice(ending)).sheet_name == "Customers"
    assert value_of(read(libreoffice(ending), sheet="Hidden"), "Name") == "Old"


def test_problem_codes_are_fixed_words(libreoffice: Callable[[str], Path]) -> None:
    assert all(code == code.lower() and " " not in code for code in codes(read(libreoffice("xlsx"))))


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [(b"2", b"4", 3), (b"5", b"5", 1), (b"5", b"4", 0), (b"2", b"16383", 16_382), (b"2", b"16384", 0), (b"", b"4", 0)],
)
def test_hidden_columns_are_counted_but_for_those_up_to_the_edge(first: bytes, last: bytes, count: int) -> None:
    assert _count_columns(first, last) == count
