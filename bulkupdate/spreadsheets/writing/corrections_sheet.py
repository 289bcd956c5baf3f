"""The sheet Corrections of results and check reports: the cells whose texts were replaced before the checks."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl import Workbook

from bulkupdate.customers.models import Correction
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.tables import Column, format_table
from bulkupdate.spreadsheets.writing.xlsx_writer import EXCEL_ROWS, Cell, StreamedRows

CORRECTIONS_SHEET = "Corrections"
_COLUMNS = (
    Column("Row", 8.0, styles.NUMBER), Column("Column", 28.0), Column("Before", 46.0, styles.WRAPPED_TEXT),
    Column("After", 46.0, styles.WRAPPED_TEXT),
)  # fmt: skip


def add_corrections(book: Workbook, corrections: Sequence[Correction]) -> dict[str, StreamedRows]:
    """Add the sheet, and return its rows by its title; nothing if there are no corrections."""
    if not corrections:
        return {}
    rows = map(_format, corrections[: EXCEL_ROWS - 1])
    return {CORRECTIONS_SHEET: format_table(book.create_sheet(CORRECTIONS_SHEET), _COLUMNS, rows)}


def _format(correction: Correction) -> tuple[Cell, ...]:
    texts = map(make_visible, (correction.column, correction.before, correction.after))
    return correction.row, *texts
