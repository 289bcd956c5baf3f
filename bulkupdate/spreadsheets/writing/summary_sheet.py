"""Write the sheet Summary: sections of labels and values, each under a headline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.xlsx_writer import Cell, StreamedRows, Styled


class Linked(NamedTuple):
    """A value that leads to a place in the same workbook, such as `'Results'!A5`."""

    value: str | int
    location: str


SummaryValue: TypeAlias = str | int | Linked
SummaryRow: TypeAlias = tuple[str, SummaryValue] | tuple[str, SummaryValue, str]
"""A label, its value, and perhaps a remark."""

_WIDTHS = (38.0, 70.0, 70.0)


@dataclass(frozen=True)
class SummarySection:
    """Rows under a headline, iterated once when the sheet is written.

    A label is marked with the fill and font that `colours` has for it, or for what it says before a colon; unless its
    value is 0.
    """

    headline: str
    rows: Iterable[SummaryRow]
    colours: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def format_summary(sheet: Worksheet, sections: Sequence[SummarySection]) -> StreamedRows:
    """Set up the sheet's widths and printing and return its rows. Values are in column B, numbers as numbers."""
    styles.set_widths(sheet, _WIDTHS)
    styles.print_wide(sheet)
    sheet.sheet_view.showGridLines = False
    registered = [styles.register(sheet, style) for style in (styles.LABEL, styles.SUMMARY_VALUE, styles.REMARK)]
    headline, link = (styles.register(sheet, style) for style in (styles.SECTION, styles.LINK))
    colours = {
        colour: styles.register(sheet, styles.CellStyle(*colour))
        for section in sections
        for colour in section.colours.values()
    }
    rows = _make_rows(sections, headline, link, colours)
    return StreamedRows(rows, registered, wrapped={1: _WIDTHS[1], 2: _WIDTHS[2]})


def _make_rows(
    sections: Sequence[SummarySection], headline: int, link: int, colours: Mapping[tuple[str, str], int]
) -> Iterator[Sequence[Cell]]:
    for section in sections:
        yield [Styled(section.headline, headline), Styled(None, headline), Styled(None, headline)]
        for label, value, *remark in section.rows:
            plain, location = value if isinstance(value, Linked) else (value, "")
            colour = section.colours.get(label.partition(":")[0]) if plain else None
            shown = make_visible(plain) if isinstance(plain, str) else plain
            yield [
                Styled(make_visible(label), colours[colour]) if colour else make_visible(label),
                Styled(shown, link, location) if location else shown,
                *remark,
            ]
        yield ()
