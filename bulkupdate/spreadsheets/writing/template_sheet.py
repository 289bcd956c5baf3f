"""Write the template: every field's heading, what may be filled in below it, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.fields import CLEAR, CUSTOMER_ID, FIELDS, Field
from bulkupdate.customers.value_types import BOOLEAN, INTEGER, RATING, RATINGS
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.own_files import FileKind
from bulkupdate.spreadsheets.writing.tables import write_csv
from bulkupdate.spreadsheets.writing.xlsx_writer import EXCEL_ROWS, Cell, StreamedRows, Styled, write_workbook

SHEET = "Customers"
INSTRUCTIONS_SHEET = "Instructions"

_CREATED = datetime(2026, 1, 1)  # the same template is the same bytes, whenever it is written

_CHOICES = {RATING: RATINGS, BOOLEAN: ("Yes", "No")}

_RULES = (
    ("Fill in", f"the sheet {SHEET}: one customer per row, below the headings. Each customer may have one row."),
    ("The customer id", "must be filled in, with the id of an existing customer: no customer is ever created."),
    ("A blank cell", "leaves the field of that customer as it is. Columns that you do not need may be deleted."),
    (CLEAR, "typed into a cell empties the field, if the table below says that it can be emptied."),
    ("Check", "the filled-in sheet with: bulkupdate check FILE.xlsx — nothing is sent."),
    ("Send", "it with: bulkupdate run FILE.xlsx"),
)
_RULE_WIDTHS = (30.0, 16.0, 72.0, 40.0, 22.0)


def write_template(path: Path) -> None:
    """Write the sheet to fill in: a workbook, or the bare headings if `path` ends in `.csv`.

    Raises `UsageError` if the file cannot be written.
    """
    with replace_file(path) as stream:
        if path.suffix.lower() == ".csv":
            write_csv(stream, [field.name for field in FIELDS], ())
            return
        book = styles.new_book(SHEET, INSTRUCTIONS_SHEET)
        book.properties.created = _CREATED
        _fill_customers(book[SHEET])
        write_workbook(book, stream, {INSTRUCTIONS_SHEET: _format_instructions(book)}, FileKind.TEMPLATE)


def _fill_customers(sheet: Worksheet) -> None:
    """Write the headings only: an example row would be sent one day."""
    styles.set_widths(sheet, [_choose_width(field) for field in FIELDS], styles.INPUT_TEXT)
    styles.make_table(sheet, len(FIELDS))
    sheet.freeze_panes = "B2"
    for column, field in enumerate(FIELDS, start=1):
        cell = sheet.cell(1, column, field.name)
        styles.apply(styles.OWN_HEADING, cell)
        cell.comment = Comment(_explain(field), "bulkupdate", width=320, height=130)
        if field.type in _CHOICES:
            sheet.add_data_validation(_offer(field, get_column_letter(column)))


def _choose_width(field: Field) -> float:
    return float(max(len(field.name) + 4, min(len(field.example) + 2, 30)))


def _explain(field: Field) -> str:
    lines = [field.help, f"Example: {field.example}"]
    if field.type in _CHOICES:
        lines.append(f"One of: {', '.join(_CHOICES[field.type])}.")
    if field is CUSTOMER_ID:
        lines.append("Must be filled in.")
    else:
        lines.append(f"Blank: no change.{f' {CLEAR}: empties it.' if field.is_clearable else ''}")
    return "\n".join(lines)


def _offer(field: Field, letter: str) -> DataValidation:
    """Return a drop-down for the whole column. It only warns: a rating's code or `TRUE` is accepted too."""
    return DataValidation(
        type="list",
        formula1=f'"{",".join(_CHOICES[field.type])}"',
        allow_blank=True,
        sqref=f"{letter}2:{letter}{EXCEL_ROWS}",
        showErrorMessage=True,
        errorStyle="warning",
        errorTitle=field.name,
        error=f"The list has: {', '.join(_CHOICES[field.type])}.",
    )


def _format_instructions(book: Workbook) -> StreamedRows:
    sheet = book[INSTRUCTIONS_SHEET]
    styles.set_widths(sheet, _RULE_WIDTHS)
    styles.print_wide(sheet)
    sheet.sheet_view.showGridLines = False
    column_styles = [styles.register(sheet, styles.WRAPPED_TEXT)] * len(_RULE_WIDTHS)
    return StreamedRows(
        list(_make_instructions(sheet)), column_styles, wrapped={2: _RULE_WIDTHS[2], 3: _RULE_WIDTHS[3]}
    )


def _make_instructions(sheet: Worksheet) -> Iterator[Sequence[Cell]]:
    title, bold, plain, heading = (
        styles.register(sheet, style) for style in (styles.TITLE, styles.BOLD, styles.PLAIN, styles.OWN_HEADING)
    )
    yield [Styled("How to fill in this workbook", title)]
    yield ()
    for subject, rule in _RULES:
        yield [Styled(subject, bold), Styled(rule, plain)]
    yield ()
    yield [Styled(each, heading) for each in ("Field", "What it holds", "Meaning", "Example", "Can it be emptied?")]
    for field in FIELDS:
        emptied = f"yes, with {CLEAR}" if field.is_clearable else "no"
        yield [Styled(_name(field), bold), _label_type(field), _mean(field), field.example, emptied]


def _name(field: Field) -> str:
    """Return the field's name; not the bare name of the key column, by which reading recognises a customer sheet."""
    return f"{field.name}: must be filled in" if field is CUSTOMER_ID else field.name


def _label_type(field: Field) -> str:
    return (INTEGER if field is CUSTOMER_ID else field.type).label


def _mean(field: Field) -> str:
    if field.type is RATING:
        return f"{field.help} The list: {', '.join(f'{code} {name}' for code, name in enumerate(RATINGS))}."
    return field.help
