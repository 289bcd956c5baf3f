"""Write a table: a worksheet with headings, widths and styles, rows streamed below; or the same as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from itertools import chain, islice
from typing import BinaryIO, TypeVar

from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import neutralise_for_csv
from bulkupdate.spreadsheets.writing.xlsx_writer import Cell, StreamedRows, Styled

_ROWS_MEASURED = 100
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Column:
    """A column of a table. `width` is in characters; the styles are those of its cells and of its heading."""

    heading: str
    width: float
    style: styles.CellStyle = styles.INPUT_TEXT
    heading_style: styles.CellStyle = styles.OWN_HEADING


def format_table(
    sheet: Worksheet,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    count: int | None = None,
    *,
    frozen: int = 0,
    linked_file: str = "",
) -> StreamedRows:
    """Lay out a worksheet as a table and return its rows, to be streamed.

    `count` is their number, None if unknown. The first `frozen` columns stay visible, and are on every printed page.
    `linked_file` is the workbook that links in the rows lead to, see `StreamedRows`.
    """
    styles.make_table(sheet, [column.width for column in columns], frozen)
    headings: list[Cell] = [Styled(column.heading, styles.register(sheet, column.heading_style)) for column in columns]
    return StreamedRows(
        chain([headings], rows),
        [styles.register(sheet, column.style) for column in columns],
        {index: column.width for index, column in enumerate(columns) if column.style.wrapped},
        count=None if count is None else count + 1,
        linked_file=linked_file,
    )


def input_columns(
    headings: Sequence[str], rows: Iterable[Sequence[str]], heading_style: styles.CellStyle = styles.INPUT_HEADING
) -> list[Column]:
    """Return the columns of a user's own table, with widths that suit the first of these rows."""
    widths = styles.guess_widths(headings, islice(rows, _ROWS_MEASURED))
    return [
        Column(heading, width, heading_style=heading_style) for heading, width in zip(headings, widths, strict=True)
    ]


def look_ahead(rows: Iterable[_Row], count: int = _ROWS_MEASURED) -> tuple[list[_Row], Iterator[_Row]]:
    """Return the first `count` rows, to measure them, and all of them."""
    iterator = iter(rows)
    first = list(islice(iterator, count))
    return first, chain(first, iterator)


def write_csv(stream: BinaryIO, headings: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> None:
    """Write a CSV file in which no spreadsheet program sees formulas.

    It is UTF-8 with a byte order mark, without which Excel takes it for Windows-1252.
    """
    text = TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text)
    for row in chain([headings], rows):
        writer.writerow([neutralise_for_csv(value) if isinstance(value, str) else value for value in row])
    text.detach()
