"""Customers as a sheet in the input format, to edit and give back: what `undo` and `export` write."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from openpyxl import Workbook

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible, neutralise_for_csv
from bulkupdate.spreadsheets.writing.xlsx_writer import Cell, StreamedRows, Styled, write_workbook

SHEET = "Customers"
REMARKS_SHEET = "Left out"

_REMARKS = {"Customer": 13.0, "Field": 26.0, "Value": 46.0, "Why it is not in the sheet as it is": 70.0}
"""The first heading is not that of the key column, by which the reader knows a sheet of customers."""

_ROWS_LOOKED_AT = 100


class Remark(NamedTuple):
    """A value that the sheet does not hold, or not as it is."""

    customer_id: str
    field: str
    value: str
    why: str


def write_customer_sheet(
    path: Path, names: Sequence[str], rows: Sequence[Sequence[str]], remarks: Sequence[Remark] = ()
) -> None:
    """Write a workbook, or CSV if `path` ends in `.csv`, with the columns CustomerId and `names`.

    A row is the id and a text for each name. `remarks` go to a second sheet; a CSV file has no room for them. The file
    appears whole or not at all, readable by its owner only. Raises `UsageError` where it cannot be written.
    """
    headings = (CUSTOMER_ID.name, *names)
    with replace_file(path) as stream:
        if path.suffix.lower() == ".csv":
            text = TextIOWrapper(stream, encoding="utf-8-sig", newline="")
            csv.writer(text).writerows([neutralise_for_csv(cell) for cell in row] for row in chain([headings], rows))
            text.detach()
            return
        book = styles.new_book(SHEET, *([REMARKS_SHEET] if remarks else []))
        widths = styles.guess_widths(headings, rows[:_ROWS_LOOKED_AT])
        streamed = {SHEET: _format_table(book, SHEET, dict(zip(headings, widths, strict=True)), rows)}
        if remarks:
            shown = ([make_visible(each) for each in remark] for remark in remarks)
            streamed[REMARKS_SHEET] = _format_table(book, REMARKS_SHEET, _REMARKS, shown)
        write_workbook(book, stream, streamed)


def _format_table(book: Workbook, title: str, widths: dict[str, float], rows: Iterable[Sequence[str]]) -> StreamedRows:
    sheet = book[title]
    styles.make_table(sheet, len(widths))
    styles.set_widths(sheet, tuple(widths.values()), styles.INPUT_TEXT)
    heading, text = styles.register(sheet, styles.OWN_HEADING), styles.register(sheet, styles.INPUT_TEXT)
    head: list[Cell] = [Styled(each, heading) for each in widths]
    return StreamedRows(chain([head], rows), [text] * len(widths))
