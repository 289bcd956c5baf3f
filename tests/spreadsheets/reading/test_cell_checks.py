"""The cells of an .xlsx: the text that the user sees, or a problem that says what to do."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.models import Severity
from tests.spreadsheets.reading.making import (
    HEADING_ROW,
    codes,
    read,
    text_cell,
    texts,
    value_of,
    write_cell,
    write_raw_xlsx,
    write_xlsx,
)

PHONES = "[<=9999999]###-####;(###) ###-####"
EURO = "#,##0.00 [$€-407]"


@pytest.mark.parametrize(
    ("value", "number_format", "seen"),
    [
        (163, "General", "163"), (5550001234, "General", "5550001234"), (999999999999999, "General", "999999999999999"),
        (-5, "General", "-5"), (0, "General", "0"), (0.1, "General", "0.1"), (0.1 + 0.2, "General", "0.3"),
        (1e-7, "General", "0.0000001"), (163, "@", "163"), (163, "0", "163"), (42, "00000", "00042"),
        (12.5, "0.00", "12.50"), (163, "0.##", "163."), (0.05, "0%", "5%"), (0.055, "0.0%", "5.5%"),
        (5550001234, "(000) 000-0000", "(555) 000-1234"), (5550001, PHONES, "555-0001"),
        (5550001234, PHONES, "(555) 000-1234"), (491701234567, '"+"0', "+491701234567"), (7, '"ID-"000', "ID-007"),
        (1234.5, "#,##0.00", "1,234.50"), (1234.5, EURO, "1,234.50 €"), (-5, "0.00;[Red](0.00)", "(5.00)"),
        (True, "General", "TRUE"), (False, "General", "FALSE"), ("007", "General", "007"), ("=1", "@", "=1"),
        ("  two  blanks ", "General", "  two  blanks "), ("a\nb", "General", "a\nb"), ("#N/A!", "General", "#N/A!"),
        ("\u202bעברית\u202c 😀", "General", "\u202bעברית\u202c 😀"), ("a\u00a0b\u200bc", "General", "a\u00a0b\u200bc"),
        ("NaN", "General", "NaN"), ("null", "General", "null"), ("_x000D_", "General", "\r"),
    ],
)  # fmt: skip
def test_a_text_column_gets_what_a_person_sees(tmp_path: Path, value: object, number_format: str, seen: str) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet["A2"] = 163
        sheet["F2"] = value
        sheet["F2"].number_format = number_format
        if isinstance(value, str):
            sheet["F2"].data_type = "s"

    sheet = read(write_xlsx(tmp_path, fill))
    assert value_of(sheet) == seen
    assert not sheet.problems


@pytest.mark.parametrize(
    ("value", "number_format", "plain"),
    [
        (1234.5, "#,##0.00", "1234.50"),
        (1234.5, EURO, "1234.50"),
        (-5, "0.00;[Red](0.00)", "-5.00"),
        (5550001234, "0.00E+00", "5550001234"),
    ],
)
def test_a_number_column_gets_the_number_without_its_dress_and_a_warning(
    tmp_path: Path, value: float, number_format: str, plain: str
) -> None:
    sheet = read(write_cell(tmp_path, value, number_format, "AccountManager1Commission"))
    assert value_of(sheet, "AccountManager1Commission") == plain
    (problem,) = sheet.problems
    assert (problem.code, problem.severity) == ("number-format", Severity.WARNING)


@pytest.mark.parametrize(
    ("value", "number_format", "code", "said"),
    [
        (12.345, "0.00", "rounded-display", "shows 12.35 but holds 12.345"),
        (163.7, "0", "rounded-display", "shows 164"),
        (0.0525, "0%", "rounded-display", "shows 5%"), (5, ";;;", "rounded-display", "shows nothing"),
        (0, "0;-0;;@", "rounded-display", "shows nothing"),
        (1234567890123456789, "General", "lost-digits", "15 digits"),
        (1234567890123456, "0", "lost-digits", "15 digits"), (0.5, "# ?/?", "number-format", "shows something else"),
        (5000, "0,", "rounded-display", "shows 5 but holds 5000"),
        (dt.date(2026, 1, 14), "mm-dd-yy", "date", "depends"),
        (dt.date(2026, 1, 14), "d mmm yyyy", "date", "depends"), (dt.timedelta(hours=30), "[h]:mm", "date", "depends"),
    ],
)  # fmt: skip
def test_a_cell_that_shows_other_than_it_holds_is_an_error(
    tmp_path: Path, value: object, number_format: str, code: str, said: str
) -> None:
    (problem,) = read(write_cell(tmp_path, value, number_format)).problems
    assert (problem.code, problem.severity, problem.row) == (code, Severity.ERROR, 2)
    assert (problem.customer_id, problem.column) == ("163", "Comments")
    assert said in problem.message
    assert problem.remedy


@pytest.mark.parametrize(
    ("number_format", "seen"),
    [
        ("yyyy-mm-dd", "2026-01-04"),
        ("dd/mm/yyyy", "04/01/2026"),
        ("d.m.yy", "4.1.26"),
        ("yyyy-mm-dd hh:mm", "2026-01-04 09:05"),
    ],
)
def test_a_date_whose_format_is_plain_reads_as_it_shows_with_a_warning(
    tmp_path: Path, number_format: str, seen: str
) -> None:
    value = dt.datetime(2026, 1, 4, 9, 5) if "hh" in number_format else dt.datetime(2026, 1, 4)
    sheet = read(write_cell(tmp_path, value, number_format))
    assert value_of(sheet) == seen
    assert [(problem.code, problem.severity) for problem in sheet.problems] == [("date", Severity.WARNING)]


def test_dates_may_be_counted_from_1904(tmp_path: Path) -> None:
    path = write_cell(tmp_path, "x")
    book = openpyxl.load_workbook(path)
    book.epoch = CALENDAR_MAC_1904
    book.active["F2"] = dt.datetime(2026, 1, 4)
    book.active["F2"].number_format = "yyyy-mm-dd"
    book.save(path)
    assert value_of(read(path)) == "2026-01-04"


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?"])
def test_an_error_cell_is_never_a_blank(tmp_path: Path, error: str) -> None:
    sheet = read(
        write_raw_xlsx(
            tmp_path / "a.xlsx",
            HEADING_ROW + f'<row r="2"><c r="A2"><v>163</v></c><c r="B2" t="e"><v>{error}</v></c></row>',
        )
    )
    assert texts(sheet)[0][1] == error
    assert codes(sheet) == ["error-cell"]
    assert "<clear>" in sheet.problems[0].remedy


def test_a_row_of_nothing_but_an_error_is_still_a_row(tmp_path: Path) -> None:
    rows = HEADING_ROW + '<row r="2"><c r="A2"><v>1</v></c></row><row r="5"><c r="B5" t="e"><v>#N/A</v></c></row>'
    sheet = read(write_raw_xlsx(tmp_path / "a.xlsx", rows))
    assert sheet.row_numbers.tolist() == [2, 5]
    assert sheet.problems[0].row == 5


def test_a_formula_that_was_never_calculated_is_never_a_blank(tmp_path: Path) -> None:
    sheet = read(write_cell(tmp_path, '="a"&"b"'))
    assert codes(sheet) == ["formula-not-calculated"]
    assert "save it" in sheet.problems[0].remedy


def test_a_formulas_stored_value_is_read_and_counted(tmp_path: Path) -> None:
    row = (
        '<row r="2"><c r="A2"><f>100+63</f><v>163</v></c><c r="B2" t="str"><f>"a"&amp;"b"</f><v>ab</v></c>'
        '<c r="C2" t="str"><f>""</f><v></v></c></row>'
    )
    sheet = read(write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + row))
    assert texts(sheet) == [["163", "ab", ""]]
    assert not sheet.problems
    assert "3 formulas were read by their stored values." in sheet.notes


def test_a_zero_that_xlsxwriter_stores_for_a_formula_is_no_result(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["CustomerId", "Name", "Phone1"])
        sheet.write(1, 0, 163)
        sheet.write_formula(1, 1, '="a"&"b"')
        sheet.write_formula(1, 2, '="5"', None, "5")
    assert [(each.column, each.code) for each in read(tmp_path / "a.xlsx").problems] == [
        ("Name", "formula-not-calculated")
    ]


def test_rich_text_is_read_without_its_phonetic_guide(tmp_path: Path) -> None:
    shared = "<si><r><t>東</t></r><r><t>京</t></r><rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si>"
    row = '<row r="2"><c r="A2"><v>163</v></c><c r="B2" t="s"><v>0</v></c></row>'
    assert texts(read(write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + row, shared=shared)))[0][1] == "東京"
    rich = CellRichText("a ", TextBlock(InlineFont(b=True), "b"))
    assert value_of(read(write_cell(tmp_path, rich))) == "a b"


def test_what_is_wrong_in_a_column_that_is_not_ours_is_no_problem(tmp_path: Path) -> None:
    row = f'<row r="1">{text_cell("A1", "CustomerId")}{text_cell("B1", "Name")}{text_cell("C1", "Helper")}</row>'
    cells = f'<row r="2"><c r="A2"><v>163</v></c>{text_cell("B2", "Ann")}<c r="C2" t="e"><v>#N/A</v></c></row>'
    sheet = read(write_raw_xlsx(tmp_path / "a.xlsx", row + cells))
    assert not sheet.problems
    assert texts(sheet) == [["163", "Ann", "#N/A"]]


@pytest.mark.parametrize(
    "cells",
    [
        '<x:c r="A2"><x:v>163</x:v></x:c><x:c r="B2" t="e"><x:v>#N/A</x:v></x:c>',
        '<x:c><x:v>163</x:v></x:c><x:c t="e"><x:v>#N/A</x:v></x:c>',
        "<x:c r='A2'><x:v>163</x:v></x:c><x:c t='e' r='B2'><x:v>#N/A</x:v></x:c>",
    ],
)
def test_xml_in_another_style_is_read_with_the_same_care(tmp_path: Path, cells: str) -> None:
    heading = "".join(
        f'<x:c r="{place}1" t="inlineStr"><x:is><x:t>{name}</x:t></x:is></x:c>'
        for place, name in (("A", "CustomerId"), ("B", "Name"))
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    root = (
        f'<x:worksheet xmlns:x="{main}"><x:sheetData><x:row r="1">{heading}</x:row>'
        f'<x:row r="2" hidden="1">{cells}</x:row>'
        "</x:sheetData></x:worksheet>"
    )
    sheet = read(write_raw_xlsx(tmp_path / "a.xlsx", "", root=root))
    assert texts(sheet) == [["163", "#N/A"]]
    assert codes(sheet) == ["error-cell"]
    assert "1 hidden row was read." in sheet.notes


def test_attributes_may_stand_in_any_order(tmp_path: Path) -> None:
    styles = '<cellXfs><xf numFmtId="0"/><xf numFmtId="2"/></cellXfs>'
    row = '<row r="2"><c s="1" r="A2" t="n"><v>163</v></c><c t="n" s="1" r="B2"><v>1.239</v></c></row>'
    sheet = read(write_raw_xlsx(tmp_path / "a.xlsx", HEADING_ROW + row, styles=styles))
    assert "rounded-display" in codes(sheet)


@pytest.mark.parametrize(
    ("heading", "number", "code", "displayed", "stored"),
    [
        ("AccountManager1Commission", 1.255, "0.00", "1.26", "1.255"), ("Comments", 163.7, "0", "164", "163.7"),
        ("AccountManager1Commission", 1234.567, "#,##0.00", "1234.57", "1234.567"),
        ("Comments", 0.1 + 0.2, "0", "0", "0.3"), ("Comments", 1234.567, "#,##0.00", "1,234.57", "1234.567"),
    ],
)  # fmt: skip
def test_the_user_decides_what_counts_of_rounded_numbers(
    tmp_path: Path, heading: str, number: float, code: str, displayed: str, stored: str
) -> None:
    path = write_cell(tmp_path, number, code, heading)
    (problem,) = read(path).problems
    assert "--numbers displayed or --numbers stored" in problem.remedy
    for choice, text in (("displayed", displayed), ("stored", stored)):
        sheet = read(path, numbers=choice)
        assert value_of(sheet, heading) == text
        assert not sheet.problems


@pytest.mark.parametrize(("number", "code"), [(0.0525, "0%"), (5000, "0,"), (5, ";;;"), (0.5, "# ?/?")])
@pytest.mark.parametrize("choice", ["displayed", "stored"])
def test_what_is_not_merely_rounded_stays_refused(tmp_path: Path, number: float, code: str, choice: str) -> None:
    (problem,) = read(write_cell(tmp_path, number, code), numbers=choice).problems
    assert problem.severity is Severity.ERROR


@pytest.mark.parametrize("choice", [None, "displayed", "stored"])
def test_a_customer_id_is_never_rounded(tmp_path: Path, choice: str | None) -> None:
    """163.7 shown as 164 is not a customer id; no choice makes it one, and none is offered."""

    def fill(sheet: Worksheet) -> None:
        sheet["A2"] = 163.7
        sheet["A2"].number_format = "0"

    (problem,) = read(write_xlsx(tmp_path, fill), numbers=choice).problems
    assert (problem.code, problem.severity) == ("rounded-display", Severity.ERROR)
    assert "--numbers" not in problem.remedy
