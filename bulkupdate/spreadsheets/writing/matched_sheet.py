"""Write the user's own sheet with the customer ids that were found, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from openpyxl.cell.cell import MergedCell
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.models import MATCH_COLUMN
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.annotated_copy import UncopiableError, annotation_blocker, write_edited_copy
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.tables import format_table, input_columns, write_csv
from bulkupdate.spreadsheets.writing.xlsx_writer import write_workbook

_SHEET = "Customers"
_MATCH_WIDTH = 60.0
_ID_WIDTH = 14.0


@dataclass(frozen=True)
class MatchedTable:
    """A sheet with its ids filled in. Columns are counted from 0, rows are numbered as Excel shows them.

    `headings` and `rows` are the table, `places` the column of the source that each heading has or will have;
    `id_column` is the index of the ids among them. `explanations` says, by row number, how the customer of each row was
    found.
    """

    headings: tuple[str, ...]
    row_numbers: Sequence[int]
    rows: Sequence[Sequence[str]]
    id_column: int
    explanations: Mapping[int, str]
    places: tuple[int, ...]


def write_matched_sheet(
    path: Path, table: MatchedTable, source: Path, sheet_name: str | None, heading_row: int
) -> list[str]:
    """Write the table as a workbook, or as CSV if `path` ends in `.csv`. Return what the workbook lacks of the source.

    If the source is an .xlsx file that can be copied, the workbook is a copy with its formats; otherwise a new one with
    the texts. Raises `UsageError` if the file cannot be written.
    """
    is_csv = path.suffix.lower() == ".csv"
    if not is_csv and sheet_name and annotation_blocker(source, len(table.rows)) is None:
        try:
            return write_edited_copy(
                source, path, sheet_name, OwnFileKind.MATCHED, lambda sheet: _fill_in(sheet, table, heading_row)
            )
        except UncopiableError as error:
            _write_table(path, table, sheet_name, is_csv=False)
            return [f"its formats ({error})"]
    _write_table(path, table, sheet_name or _SHEET, is_csv=is_csv)
    return []


def _write_table(path: Path, table: MatchedTable, sheet_name: str, *, is_csv: bool) -> None:
    headings = (*table.headings, MATCH_COLUMN)
    rows = [
        (*row, table.explanations.get(number, "")) for number, row in zip(table.row_numbers, table.rows, strict=True)
    ]
    with replace_file(path) as stream:
        if is_csv:
            write_csv(stream, headings, rows)
            return
        book = styles.new_book(sheet_name)
        columns = input_columns(headings, rows)
        write_workbook(
            book, stream, {sheet_name: format_table(book[sheet_name], columns, rows, len(rows))}, OwnFileKind.MATCHED
        )


def _fill_in(sheet: Worksheet, table: MatchedTable, heading_row: int) -> None:
    id_column, match_column = table.places[table.id_column] + 1, max(table.places) + 2
    for column, heading, width in (
        (id_column, table.headings[table.id_column], _ID_WIDTH), (match_column, MATCH_COLUMN, _MATCH_WIDTH),
    ):  # fmt: skip
        if sheet.cell(heading_row, column).value is None:
            _add_heading(sheet, heading_row, column, heading, width)
    for number, row in zip(table.row_numbers, table.rows, strict=True):
        customer_id = row[table.id_column]
        _put(sheet, number, id_column, int(customer_id) if customer_id.isdecimal() else customer_id)
        _put(sheet, number, match_column, table.explanations.get(number, ""))


def _add_heading(sheet: Worksheet, row: int, column: int, heading: str, width: float) -> None:
    """Add a heading that looks like the one at its left."""
    cell, neighbour = sheet.cell(row, column, heading), sheet.cell(row, max(1, column - 1))
    if neighbour.has_style:
        for name in ("font", "fill", "border", "alignment"):
            setattr(cell, name, copy(getattr(neighbour, name)))
    sheet.column_dimensions[cell.column_letter].width = width


def _put(sheet: Worksheet, row: int, column: int, value: str | int) -> None:
    cell = sheet.cell(row, column)
    if isinstance(cell, MergedCell) or (isinstance(value, str) and str(cell.value or "") == value):
        return
    cell.value = value or None
    if isinstance(value, str) and value:
        cell.data_type = "s"  # a text that begins with "=" is not a formula
