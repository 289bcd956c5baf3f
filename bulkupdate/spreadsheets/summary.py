"""The sheet Summary of our workbooks: sections of labels and values under a headline each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.spreadsheets import looks
from bulkupdate.spreadsheets.book_file import Cell, StreamedRows, Styled
from bulkupdate.spreadsheets.cells import make_visible

SummaryRow: TypeAlias = tuple[str, str | int] | tuple[str, str | int, str]
"""A label, its value, and perhaps a remark."""

_WIDTHS = (30.0, 70.0, 70.0)


@dataclass(frozen=True)
class Section:
    """Rows under a headline. A label that `colours` knows is marked with that fill and font, unless its value is 0."""

    headline: str
    rows: Sequence[SummaryRow]
    colours: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def format_summary(sheet: Worksheet, sections: Sequence[Section]) -> StreamedRows:
    """The sheet's rows, its widths and print set-up made ready. Values stand in column B, numbers as numbers."""
    looks.set_widths(sheet, _WIDTHS)
    looks.print_wide(sheet)
    sheet.sheet_view.showGridLines = False
    styles = [looks.register(sheet, look) for look in (looks.LABEL, looks.SUMMARY_VALUE, looks.REMARK)]
    return StreamedRows(_format_rows(sheet, sections), styles, wrapped={1: _WIDTHS[1], 2: _WIDTHS[2]})


def _format_rows(sheet: Worksheet, sections: Sequence[Section]) -> list[Sequence[Cell]]:
    """All rows at once: a style must be registered before the first row is streamed."""
    headline = looks.register(sheet, looks.SECTION)
    rows: list[Sequence[Cell]] = []
    for section in sections:
        rows.append([Styled(section.headline, headline), Styled(None, headline), Styled(None, headline)])
        rows += [_format_row(sheet, row, section.colours) for row in section.rows]
        rows.append(())
    return rows


def _format_row(sheet: Worksheet, row: SummaryRow, colours: Mapping[str, tuple[str, str]]) -> Sequence[Cell]:
    label, value, *remark = row
    first: Cell = make_visible(label)
    if label in colours and value:
        first = Styled(label, looks.register(sheet, looks.Look(*colours[label])))
    return [first, make_visible(value) if isinstance(value, str) else value, *remark]
