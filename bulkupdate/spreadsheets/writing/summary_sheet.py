"""Write the sheet Summary: sections of labels and values, each under a headline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.xlsx_writer import Cell, StreamedRows, Styled

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
    """Set up the sheet's widths and printing and return its rows. Values are in column B, numbers as numbers."""
    styles.set_widths(sheet, _WIDTHS)
    styles.print_wide(sheet)
    sheet.sheet_view.showGridLines = False
    column_styles = [styles.register(sheet, style) for style in (styles.LABEL, styles.SUMMARY_VALUE, styles.REMARK)]
    return StreamedRows(_format_rows(sheet, sections), column_styles, wrapped={1: _WIDTHS[1], 2: _WIDTHS[2]})


def _format_rows(sheet: Worksheet, sections: Sequence[Section]) -> list[Sequence[Cell]]:
    """Return all rows at once: a style must be registered before the first row is streamed."""
    headline = styles.register(sheet, styles.SECTION)
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
        first = Styled(label, styles.register(sheet, styles.CellStyle(*colours[label])))
    return [first, make_visible(value) if isinstance(value, str) else value, *remark]
