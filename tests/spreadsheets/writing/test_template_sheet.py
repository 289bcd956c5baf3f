from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.fields import CLEAR, CUSTOMER_ID, FIELDS, UPDATABLE
from bulkupdate.customers.value_types import RATINGS
from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.reading.sheet import ReadOptions
from bulkupdate.spreadsheets.writing.template_sheet import write_template

COMMITTED = Path(__file__).parents[3] / "templates"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    path = tmp_path_factory.mktemp("template") / "customers.xlsx"
    write_template(path)
    return openpyxl.load_workbook(path)


@pytest.mark.parametrize("name", ["customers.xlsx", "customers.csv"])
def test_the_committed_templates_are_what_the_program_writes(tmp_path: Path, name: str) -> None:
    """After a change of the field table: `bulkupdate template -o templates/customers.xlsx`, and the same for .csv."""
    write_template(tmp_path / name)
    if name.endswith(".csv"):
        assert (tmp_path / name).read_bytes() == (COMMITTED / name).read_bytes()
        return
    written, committed = openpyxl.load_workbook(tmp_path / name), openpyxl.load_workbook(COMMITTED / name)
    assert written.sheetnames == committed.sheetnames
    for ours, theirs in zip(written, committed, strict=True):
        assert _describe(ours) == _describe(theirs)


def _describe(sheet: Worksheet) -> list[object]:
    return [
        (cell.coordinate, cell.value, cell.number_format, cell.comment and cell.comment.text)
        for row in sheet.iter_rows()
        for cell in row
    ]


def test_the_same_template_is_the_same_bytes(tmp_path: Path) -> None:
    write_template(tmp_path / "a.xlsx")
    write_template(tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_the_sheet_to_fill_in_has_every_heading_and_no_example_row(book: openpyxl.Workbook) -> None:
    sheet = book["Customers"]
    assert book.sheetnames[0] == "Customers"
    assert list(sheet.values) == [tuple(field.name for field in FIELDS)]
    assert sheet.freeze_panes == "B2"


def test_each_heading_has_a_comment_with_help_and_example(book: openpyxl.Workbook) -> None:
    for field, cell in zip(FIELDS, book["Customers"][1], strict=True):
        assert field.help in cell.comment.text
        assert f"Example: {field.example}" in cell.comment.text
        assert (CLEAR in cell.comment.text) == field.is_clearable


def test_what_is_typed_stays_as_typed(book: openpyxl.Workbook) -> None:
    """The text format: zeros of ids and phones, plus signs, and the decimals of a commission."""
    columns = book["Customers"].column_dimensions.values()
    assert {column.number_format for column in columns} == {"@"}
    assert {place for column in columns for place in range(column.min, column.max + 1)} >= set(
        range(1, len(FIELDS) + 1)
    )


def test_rating_and_wholesale_have_drop_downs_over_the_whole_column(book: openpyxl.Workbook) -> None:
    sheet = book["Customers"]
    headings = {cell.value: cell.column_letter for cell in sheet[1]}
    offered = {str(each.sqref): each for each in sheet.data_validations.dataValidation}
    rating = offered[f"{headings['Rating']}2:{headings['Rating']}1048576"]
    wholesale = offered[f"{headings['IsWholesale']}2:{headings['IsWholesale']}1048576"]
    assert rating.formula1 == f'"{",".join(RATINGS)}"'
    assert wholesale.formula1 == '"Yes,No"'
    assert {rating.errorStyle, wholesale.errorStyle} == {"warning"}, "a rating's code is understood too"


def test_the_instructions_explain_each_field_and_the_rules(book: openpyxl.Workbook) -> None:
    rows = [row for row in book["Instructions"].values if row[0]]
    explained = {row[0]: row for row in rows}
    assert explained["CustomerId: must be filled in"][3] == CUSTOMER_ID.example
    for field in UPDATABLE:
        _, holds, meaning, example, emptied = explained[field.name]
        assert (holds, example) == (field.type.label, field.example)
        assert meaning.startswith(field.help)
        assert emptied == (f"yes, with {CLEAR}" if field.is_clearable else "no")
    text = " ".join(str(value) for row in rows for value in row)
    for rule in ("bulkupdate check", "Each customer may have one row", "leaves the field of that customer as it is"):
        assert rule in text


def test_a_filled_in_template_is_read_without_naming_its_sheet(tmp_path: Path) -> None:
    """The Instructions must not look like a second sheet of customers."""
    write_template(tmp_path / "customers.xlsx")
    book = openpyxl.load_workbook(tmp_path / "customers.xlsx")
    book["Customers"].append([field.example for field in FIELDS])
    book.save(tmp_path / "customers.xlsx")
    sheet = read_sheet(tmp_path / "customers.xlsx", ReadOptions(None, {}, 1_000, 100_000, 100_000_000))
    assert sheet.sheet_name == "Customers"
    assert sheet.frame.iloc[0].tolist() == [field.example for field in FIELDS]
    assert sheet.problems == ()


def test_the_csv_template_is_the_headings_alone(tmp_path: Path) -> None:
    write_template(tmp_path / "customers.csv")
    assert (tmp_path / "customers.csv").read_text("utf-8-sig") == ",".join(field.name for field in FIELDS) + "\n"
