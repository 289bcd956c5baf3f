"""Write customers as a sheet in the input format, to edit and give back: for `undo` and `export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.own_files import FileKind
from bulkupdate.spreadsheets.writing.tables import Column, format_table, input_columns, write_csv
from bulkupdate.spreadsheets.writing.xlsx_writer import write_workbook

SHEET = "Customers"
REMARKS_SHEET = "Left out"

_REMARKS = (
    Column("Customer", 13.0), Column("Field", 26.0), Column("Value", 46.0),
    Column("Why it is not in the sheet as it is", 70.0),
)  # fmt: skip
"""The first heading is not that of the key column, by which reading recognises a sheet of customers."""


class Remark(NamedTuple):
    """A value that the sheet does not hold, or not as it is."""

    customer_id: str
    field: str
    value: str
    why: str


def write_customer_sheet(
    path: Path, names: Sequence[str], rows: Sequence[Sequence[str]], remarks: Sequence[Remark], kind: FileKind
) -> None:
    """Write a workbook, or CSV if `path` ends in `.csv`, with the columns CustomerId and `names`.

    A row is the id and a text for each name. `remarks` go to a second sheet; a CSV file has no room for them. The file
    appears whole or not at all, readable by its owner only. Raises `UsageError` if it cannot be written.
    """
    headings = (CUSTOMER_ID.name, *names)
    with replace_file(path) as stream:
        if path.suffix.lower() == ".csv":
            write_csv(stream, headings, rows)
            return
        book = styles.new_book(SHEET, *([REMARKS_SHEET] if remarks else []))
        columns = input_columns(headings, rows, styles.OWN_HEADING)
        streamed = {SHEET: format_table(book[SHEET], columns, rows)}
        if remarks:
            shown = ([make_visible(text) for text in remark] for remark in remarks)
            streamed[REMARKS_SHEET] = format_table(book[REMARKS_SHEET], _REMARKS, shown)
        write_workbook(book, stream, streamed, kind)
