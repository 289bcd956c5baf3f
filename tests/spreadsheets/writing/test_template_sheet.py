from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.fields import CLEAR, CUSTOMER_ID, FIELDS, UPDATABLE
from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.reading.sheet import ReadOptions
from bulkupdate.spreadsheets.writing.template_sheet import write_template

OPTIONS = ReadOptions(None, {}, 1_000, 100_000, 100_000_000)
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


def test_what_is_typed_stays_as_typed(book: openpyxl.Workbook) -> None:
    """The text format: zeros of ids and phones, plus signs, and the decimals of a commission."""
    columns = book["Customers"].column_dimensions.values()
    assert {column.number_format for column in columns} == {"@"}
    assert {place for column in columns for place in range(column.min, column.max + 1)} >= set(
        range(1, len(FIELDS) + 1)
    )


def test_every_cell_explains_itself_and_duplicates_show(book: openpyxl.Workbook) -> None:
    sheet = book["Customers"]
    assert all(cell.comment for cell in sheet[1])
    assert [each.promptTitle for each in sheet.data_validations.dataValidation] == [field.name for field in FIELDS]
    assert [rule.type for each in sheet.conditional_formatting for rule in each.rules] == ["duplicateValues"]


def test_it_prints_on_few_pages_with_headings_and_ids_on_each(book: openpyxl.Workbook) -> None:
    sheet = book["Customers"]
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.page_setup.fitToWidth <= 3
    assert (sheet.print_title_cols, sheet.print_title_rows) == ("$A:$A", "$1:$1")


@pytest.mark.parametrize("name", ["small.xlsx", "small.csv"])
def test_a_small_template_has_the_named_fields_alone(run_program: Any, tmp_path: Path, name: str) -> None:
    assert run_program("template", "--fields", "E-mail, Phone 1,CustomerId", "-o", name).exit_code == 0
    if name.endswith(".csv"):
        assert (tmp_path / name).read_text("utf-8-sig") == "CustomerId,Email,Phone1\n"
        return
    book = openpyxl.load_workbook(tmp_path / name)
    assert list(book["Customers"].values) == [("CustomerId", "Email", "Phone1")]
    explained = [row[0] for row in book["Instructions"].values]
    assert explained[-3:] == ["CustomerId: must be filled in", "Email", "Phone1"]


@pytest.mark.parametrize(
    ("fields", "says"),
    [("Emial", "Did you mean Email?"), ("CustomerId", "names no field to update"), (",", "names no")],
)
def test_a_small_template_of_unknown_fields_is_refused(
    run_program: Any, tmp_path: Path, fields: str, says: str
) -> None:
    done = run_program("template", "--fields", fields, "-o", "small.xlsx")
    assert done.exit_code == 2
    assert says in done.err
    assert not (tmp_path / "small.xlsx").exists()


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
    sheet = read_sheet(tmp_path / "customers.xlsx", OPTIONS)
    assert sheet.sheet_name == "Customers"
    assert sheet.frame.iloc[0].tolist() == [field.example for field in FIELDS]
    assert sheet.problems == ()


def test_the_csv_template_is_the_headings_alone(tmp_path: Path) -> None:
    write_template(tmp_path / "customers.csv")
    assert (tmp_path / "customers.csv").read_text("utf-8-sig") == ",".join(field.name for field in FIELDS) + "\n"
