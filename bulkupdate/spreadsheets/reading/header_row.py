"""Find the row of headings, which is not always the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.headings import HeaderRow, recognize_headings
from bulkupdate.errors import InputFileError

SEARCHED_ROWS = 30
"""How many rows at the top of a sheet may be titles, dates and notes before the headings."""


def find_header_row(rows: Iterable[tuple[int, Sequence[str]]], heading_map: Mapping[str, str]) -> HeaderRow | None:
    """Return the row of headings among the rows given: the first with a key column, else the one with most fields.

    None if no row names any field.
    """
    best: HeaderRow | None = None
    for number, cells in rows:
        found = recognize_headings(cells, heading_map, number=number)
        if found.key_column is not None:
            return found
        if found.field_count and (best is None or found.field_count > best.field_count):
            best = found
    return best


def refuse_second_header(
    rows: Iterable[tuple[int, Sequence[str]]], header: HeaderRow, heading_map: Mapping[str, str], where: str
) -> None:
    """Raise `InputFileError` if a row below the headings has headings too: the rows between would be misread.

    A row with a customer id does not count, even if one of its texts is a heading. `where` is the file or sheet, as a
    subject.
    """
    for number, cells in rows:
        if number <= header.number or _has_id(cells, header):
            continue
        if recognize_headings(cells, heading_map, number=number).key_column is not None:
            raise InputFileError(
                f"{where} has headings in row {header.number} and in row {number}.",
                remedy="Keep one table in a sheet: delete the second row of headings, or move its rows to a sheet of "
                "their own.",
            )


def _has_id(cells: Sequence[str], header: HeaderRow) -> bool:
    key = header.key_column
    return key is not None and key < len(cells) and parse_cell(CUSTOMER_ID, cells[key]).value is not None
