"""Find the row of headings, which is not always the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.headings import HeaderRow, find_field, recognize_headings
from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.sheet import Sheet

SEARCHED_ROWS = 30
"""How many rows at the top of a sheet are searched for headings, which titles and notes may precede."""

MAX_DOUBTFUL_ROWS = 10_000
"""How many rows without a customer id are searched for a second row of headings; it takes a third of a second."""


def find_header_row(rows: Iterable[tuple[int, Sequence[str]]], heading_map: Mapping[str, str]) -> HeaderRow | None:
    """Return the row of headings among these rows: the first with a key column, else the one with most fields.

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


def refuse_second_header(sheet: Sheet, heading_map: Mapping[str, str], file_name: str) -> None:
    """Raise `InputFileError` if a row below the headings has headings too: the rows below it would be misread.

    A row with a customer id does not count, even if some of its texts are headings.
    """
    ids: pd.Series[str] = sheet.frame[sheet.header.key_column]
    doubtful = np.flatnonzero(~ids.str.match(r"\s*[0-9]").to_numpy(bool))[:MAX_DOUBTFUL_ROWS]
    for index, cells in zip(doubtful, sheet.frame.iloc[doubtful].to_numpy().tolist(), strict=True):
        if not any(find_field(cell, heading_map) is CUSTOMER_ID for cell in cells if cell):
            continue
        found = recognize_headings(cells, heading_map)
        if found.key_column is not None and found.field_count > 1:
            where = file_name if sheet.sheet_name is None else f"The sheet “{sheet.sheet_name}”"
            raise InputFileError(
                f"{where} has headings in row {sheet.header.number} and in row {sheet.row_numbers[index]}.",
                remedy="Keep one table in a sheet: delete the second row of headings, or move its rows to a sheet of "
                "their own.",
            )
