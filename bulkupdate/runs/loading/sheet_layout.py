"""The tables of a file as they are shown to a user who says what their columns mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.customers.column_guess import guess_columns
from bulkupdate.customers.fields import Field
from bulkupdate.customers.headings import HeaderRow, recognize_headings
from bulkupdate.runs.loading.sheet_reading import SheetOptions, make_read_options
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.reading.header_row import find_header_row
from bulkupdate.spreadsheets.reading.reader import read_tops
from bulkupdate.spreadsheets.reading.sheet import SheetTop
from bulkupdate.text import replace_unwritable

SHOWN_ROWS = 20
MAX_COLUMNS = 100
MAX_SHEETS = 20
_LONGEST_TEXT = 500
_VALUE = re.compile(r"[0-9@]")


@dataclass(frozen=True)
class SheetLayout:
    """The headings of a table with its first rows below them: their numbers and texts.

    `sheet_name` is None for a text file. Texts are cut.
    """

    sheet_name: str | None
    number: int
    headings: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, index: int) -> list[str]:
        """Return the first texts of a column."""
        return [cells[index] for _, cells in self.rows]

    def guess(self, settings: Settings) -> list[Field | None]:
        """Return which field each column may mean, None to ignore it."""
        header = recognize_headings(self.headings, settings.heading_map, number=self.number)
        return guess_columns(header, [self.column(index) for index in range(len(self.headings))])


def find_layouts(path: Path, settings: Settings, options: SheetOptions) -> list[SheetLayout]:
    """Return the tables of a file: one of each sheet that has any, and of a text file the one with most columns.

    Empty if there is none, or if the file cannot be read.
    """
    tops = read_tops(path, make_read_options(settings, options))
    found = [layout for top in tops[:MAX_SHEETS] if (layout := _find_table(top, settings)) is not None]
    is_text = any(layout.sheet_name is None for layout in found)
    return sorted(found, key=lambda layout: -len(layout.headings))[:1] if is_text else found


def _find_table(top: SheetTop, settings: Settings) -> SheetLayout | None:
    filled = [(number, cells) for number, cells in top.rows if sum(1 for cell in cells if cell.strip()) > 1]
    if not filled:
        return None
    header = find_header_row(top.rows, settings.heading_map)
    if header is None or header.field_count < 2:
        number, cells = max(filled, key=lambda row: _rate_as_headings(row[1]))
        header = HeaderRow(number, tuple(cells), (None,) * len(cells))
    width = max(len(cells) for number, cells in top.rows if number >= header.number)
    width = max(index + 1 for index in range(width) if _is_used(top.rows, header.number, index))
    below = [(number, _cut(cells, width)) for number, cells in top.rows if number > header.number and any(cells)]
    if not below or width > MAX_COLUMNS:
        return None
    return SheetLayout(top.sheet_name, header.number, _cut(header.headings, width), tuple(below[:SHOWN_ROWS]))


def _rate_as_headings(cells: Sequence[str]) -> int:
    """Return how many cells look like headings, less those that look like values."""
    return sum(-1 if _VALUE.search(cell) else 1 for cell in cells if cell.strip())


def _is_used(rows: Sequence[tuple[int, Sequence[str]]], first: int, index: int) -> bool:
    return any(index < len(cells) and cells[index].strip() for number, cells in rows if number >= first)


def _cut(cells: Sequence[str], width: int) -> tuple[str, ...]:
    return tuple(replace_unwritable(cell[:_LONGEST_TEXT]) for cell in (*cells[:width], *[""] * (width - len(cells))))
