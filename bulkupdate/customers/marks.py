"""Marks in the cells of refused rows, so that a results or to-fix sheet given back unchanged is refused again.

A problem found by reading is about the cell (a formula without a value, hidden digits); its text alone would pass the
checks the next time. Such a text is handed out with a mark that the checks refuse wherever it stands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.column_mapping import Columns
from bulkupdate.customers.customer_ids import normalise_ids
from bulkupdate.customers.fields import CUSTOMER_ID, Field
from bulkupdate.customers.models import Problem, mark_refused
from bulkupdate.text import replace_unwritable

Marks = Mapping[int, Mapping[int, str]]
"""By row number and column place (from 0): the texts to hand out in place of what the sheet holds."""


def find_marks(
    frame: pd.DataFrame, headings: Sequence[str], row_numbers: np.ndarray, columns: Columns, refused: Iterable[Problem]
) -> Marks:
    """Return the marked texts of all cells whose refusal would be lost with the text alone.

    `refused` are the errors about single cells and about whole rows; not those about several rows (duplicates), which
    come back by themselves: if the id of one of them is marked, so are the others'.
    """
    by_heading = {headings[at]: each for each, at in columns.positions.items()}
    by_field: dict[Field | None, list[Problem]] = defaultdict(list)
    for problem in refused:
        by_field[by_heading.get(problem.column)].append(problem)
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for each, at in columns.positions.items():
        for problems, mark in ((by_field[each], _mark_cell), (by_field[None], _mark_cell_of_row)):
            rows = [problem.row for problem in problems]
            texts = frame.iloc[np.searchsorted(row_numbers, rows), at].tolist()
            for problem, text in zip(problems, texts, strict=True):
                if marked := mark(each, text, problem.message):
                    found[problem.row].setdefault(at, marked)
    _mark_twins(found, frame, row_numbers, columns.positions[CUSTOMER_ID])
    return found


def _mark_cell(each: Field, text: str, message: str) -> str:
    """Return the cell with its mark; empty if a later check refuses the text as it will be written.

    The later check may be made without the options of this one: `1.234` refused with a decimal comma is marked.
    """
    return "" if parse_cell(each, replace_unwritable(text)).is_refused else mark_refused(text, message)


def _mark_cell_of_row(each: Field, text: str, message: str) -> str:
    """Return the marked cell of a row that was refused as a whole, as its values may be in the wrong columns."""
    return mark_refused(text, message) if text.strip() or each is CUSTOMER_ID else ""


def _mark_twins(found: dict[int, dict[int, str]], frame: pd.DataFrame, row_numbers: np.ndarray, at: int) -> None:
    """Mark the ids of all duplicates of a row whose id is marked: they would stand alone the next time."""
    marked = [row for row, cells in found.items() if at in cells]
    if not marked:
        return
    ids = normalise_ids(frame.iloc[:, at]).to_numpy()
    lost = set(ids[np.isin(row_numbers, marked)]) - {""}
    for place in np.flatnonzero(np.isin(ids, list(lost))).tolist():
        message = "the customer stands in another row too"
        found[int(row_numbers[place])].setdefault(at, mark_refused(str(frame.iat[place, at]), message))
