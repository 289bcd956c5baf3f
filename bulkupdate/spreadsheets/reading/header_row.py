"""Find the row of headings, which is not always the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bulkupdate.customers.fields import CUSTOMER_ID, UPDATABLE
from bulkupdate.customers.headings import find_field, suggest
from bulkupdate.errors import InputFileError
from bulkupdate.text import truncate

SEARCHED_ROWS = 30
"""How many rows from the top may be titles, dates and remarks before the headings."""

SHOWN_HEADINGS = 12
"""How many headings a sentence lists before it says that there are more."""


@dataclass(frozen=True)
class HeaderRow:
    """A row of headings: its number as Excel shows it, its texts, and the field names that they stand for."""

    number: int
    headings: tuple[str, ...]
    known: tuple[str | None, ...]

    @property
    def key_column(self) -> int | None:
        """The column of the customer id, counted from 0; None where there is none."""
        return self.known.index(CUSTOMER_ID.name) if CUSTOMER_ID.name in self.known else None

    @property
    def known_count(self) -> int:
        """How many different fields the headings name."""
        return len({name for name in self.known if name})

    def widen(self, width: int) -> HeaderRow:
        """Return the same row with at least so many columns, the new ones blank."""
        more = max(0, width - len(self.headings))
        return HeaderRow(self.number, (*self.headings, *[""] * more), (*self.known, *[None] * more))


def find_header_row(rows: Iterable[tuple[int, Sequence[str]]], heading_map: Mapping[str, str]) -> HeaderRow | None:
    """Return the row of headings among the rows given: the first with a key column, else the one with most fields.

    None if no row names any field.
    """
    best: HeaderRow | None = None
    for number, cells in rows:
        found = recognise(number, cells, heading_map)
        if found.key_column is not None:
            return found
        if found.known_count and (best is None or found.known_count > best.known_count):
            best = found
    return best


def refuse_second_header(
    rows: Iterable[tuple[int, Sequence[str]]], header: HeaderRow, heading_map: Mapping[str, str], where: str
) -> None:
    """Raise `InputFileError` if another row below the headings is one too: the rows between would be lost or misread.

    `where` is the file or sheet, as a subject.
    """
    for number, cells in rows:
        if number > header.number and recognise(number, cells, heading_map).key_column is not None:
            raise InputFileError(
                f"{where} has headings in row {header.number} and in row {number}.",
                remedy="Keep one table in a sheet: delete the second row of headings, or move its rows to a sheet of "
                "their own.",
            )


def recognise(number: int, cells: Sequence[str], heading_map: Mapping[str, str]) -> HeaderRow:
    """Return a row read as headings, whatever it holds."""
    fields = [find_field(cell, heading_map) if cell.strip() else None for cell in cells]
    return HeaderRow(number, tuple(cells), tuple(field.name if field else None for field in fields))


def require_updatable(headings: Sequence[str], heading_map: Mapping[str, str]) -> None:
    """Raise `InputFileError` where no column says anything to update."""
    updatable = {field.name for field in UPDATABLE}
    if any(name in updatable for name in recognise(0, headings, heading_map).known):
        return
    raise InputFileError(
        f"No column of the sheet is one that can be updated. {describe_headings(headings)}",
        remedy=f"Add a column such as Email or Phone1.{_suggest_map(headings)}",
    )


def missing_key_error(where: str, first_row: Sequence[str]) -> InputFileError:
    """Return the error for a file without a row of headings with a key column. `where` is the file or sheet."""
    return InputFileError(
        f"{where} has no column {CUSTOMER_ID.name} in its first {SEARCHED_ROWS} rows. {describe_headings(first_row)}",
        remedy="Name the column of Sellercloud's customer numbers CustomerId, or say which it is: "
        '--map "Your heading=CustomerId".',
    )


def describe_headings(cells: Sequence[str]) -> str:
    """Return a sentence that lists the headings found."""
    shown = [_shorten(cell.strip()) for cell in cells if cell.strip()]
    if not shown:
        return "No headings were found."
    more = f" and {len(shown) - SHOWN_HEADINGS} more" if len(shown) > SHOWN_HEADINGS else ""
    return f"Found: {', '.join(shown[:SHOWN_HEADINGS])}{more}."


def _suggest_map(headings: Sequence[str]) -> str:
    for heading in headings:
        nearest = suggest(heading) if heading.strip() and find_field(heading, {}) is None else None
        if nearest:
            return f" Is {_shorten(heading.strip())!r} meant to be {nearest}?"
    return ""


def _shorten(heading: str) -> str:
    return truncate(" ".join(heading.split()), 40)
