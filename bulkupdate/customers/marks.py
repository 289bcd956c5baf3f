"""Marks in the cells of refused rows, so that results and to-fix sheets sent without a correction are refused again.

Some problems are properties of the cell (a formula without a value, hidden digits): the text alone would pass the
checks the next time. Such a text is written with a mark that the checks refuse in every column.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.column_mapping import Columns
from bulkupdate.customers.fields import CUSTOMER_ID, Field
from bulkupdate.customers.models import Problem, mark_refused
from bulkupdate.customers.plain_values import normalize_ids
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.text import replace_unwritable

Marks = Mapping[int, Mapping[int, str]]
"""The texts to write instead of the sheet's, by row number and column (counted from 0)."""


def find_marks(
    frame: pd.DataFrame,
    values: pd.DataFrame,
    headings: Sequence[str],
    row_numbers: np.ndarray,
    columns: Columns,
    refused: Iterable[Problem],
) -> Marks:
    """Return the marked texts of all cells that would pass the checks by their text alone.

    `values` has the texts of the fields, translated. `refused` are the errors about single cells and about whole rows,
    but not those about several rows (duplicates), which are found again; if the id of one duplicate is marked, the ids
    of the others are marked too.
    """
    by_heading = {headings[index]: field for field, index in columns.positions.items()}
    by_field: dict[Field | None, list[Problem]] = defaultdict(list)
    key, refused_keys = columns.matched_by, []
    for problem in refused:
        if key is not None and problem.column == headings[key]:
            refused_keys.append(problem)
        else:
            by_field[by_heading.get(problem.column)].append(problem)
    found: dict[int, dict[int, str]] = defaultdict(dict)
    for field, index in columns.positions.items():
        for problems, needs_mark in ((by_field[field], _would_pass), (by_field[None], _may_be_misplaced)):
            places = np.searchsorted(row_numbers, [problem.row for problem in problems])
            cells = zip(frame.iloc[places, index].tolist(), values[field.name].iloc[places].tolist(), strict=True)
            for problem, (text, value) in zip(problems, cells, strict=True):
                if needs_mark(field, text) or needs_mark(field, value):
                    found[problem.row].setdefault(index, mark_refused(text, problem.message))
    if key is not None and refused_keys:  # by its text alone, a key could be that of another customer
        texts = frame.iloc[np.searchsorted(row_numbers, [problem.row for problem in refused_keys]), key].tolist()
        for problem, text in zip(refused_keys, texts, strict=True):
            if problem.code != ProblemCode.NOT_CORRECTED:  # it has its mark
                found[problem.row].setdefault(key, mark_refused(text, problem.message))
    _mark_twins(found, frame, row_numbers, columns.positions[CUSTOMER_ID])
    return found


def _would_pass(field: Field, text: str) -> bool:
    """Return whether a later check would accept the text as it will be written.

    The later check may be made without the options of this one: `1.234` refused with a decimal comma is marked.
    """
    return not parse_cell(field, replace_unwritable(text)).is_refused


def _may_be_misplaced(field: Field, text: str) -> bool:
    """Return whether a cell of a row that was refused as a whole needs a mark: its values may be in wrong columns."""
    return bool(text.strip()) or field is CUSTOMER_ID


def _mark_twins(found: dict[int, dict[int, str]], frame: pd.DataFrame, row_numbers: np.ndarray, key: int) -> None:
    """Mark the ids of all duplicates of a row whose id is marked: without it, they would pass as single rows."""
    marked = [row for row, cells in found.items() if key in cells]
    if not marked:
        return
    ids = normalize_ids(frame.iloc[:, key]).to_numpy()
    lost = set(ids[np.isin(row_numbers, marked)]) - {""}
    for index in np.flatnonzero(np.isin(ids, list(lost))).tolist():
        text = mark_refused(str(frame.iat[index, key]), ProblemCode.DUPLICATE.explanation)
        found[int(row_numbers[index])].setdefault(key, text)
