"""A whole file after the checks: its problems, and its rows with the bodies to send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from bulkupdate.customers.bulk_payload import NO_CHANGES, EncodedRows, encode_rows
from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.column_mapping import Columns
from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.marks import Marks
from bulkupdate.customers.models import CheckedRow, Problem, Severity, Status
from bulkupdate.customers.parse_result import quote
from bulkupdate.customers.plain_values import is_filled_mask, select_unplain

_ROWS_AT_A_TIME = 20_000


@dataclass(frozen=True)
class CheckOptions:
    """How cells are parsed. `decimal_mark` is a point or a comma; the others are settings.

    `never` has the fields that are not written. `values` has tables of texts that stand for a value, by field.
    """

    decimal_mark: str = "."
    rating_format: str = "name"
    wholesale_needs_business_name: bool = False
    ignore_unknown: bool = False
    never: frozenset[str] = frozenset()
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class CheckedFile:
    """A file after the checks; its rows are built each time they are needed.

    `headings` are all of the file's; `problems` are in the order of the sheet. `_frame` has the texts of the sheet,
    `_texts` those of its fields with their values translated, by the field's name.
    """

    problems: tuple[Problem, ...]
    headings: tuple[str, ...]
    row_numbers: np.ndarray
    columns: Columns
    options: CheckOptions
    _frame: pd.DataFrame
    _texts: pd.DataFrame
    _marks: Marks

    def __len__(self) -> int:
        return len(self.row_numbers)

    @property
    def original_headings(self) -> tuple[str, ...]:
        """The headings without those of our own results, in the order of `CheckedRow.original`."""
        return tuple(self.headings[index] for index in self.columns.original)

    @property
    def key_heading(self) -> str:
        """The heading of the column of customer ids."""
        return self.headings[self.columns.positions[CUSTOMER_ID]]

    @property
    def identifying(self) -> tuple[str, ...]:
        """The headings of the columns that identify the customers: their ids, and the key that these were found by."""
        indexes = (self.columns.positions[CUSTOMER_ID], self.columns.matched_by)
        return tuple(self.headings[index] for index in indexes if index is not None)

    @property
    def known_columns(self) -> tuple[int, ...]:
        """The columns whose cells mean something, as indexes of `CheckedRow.original`."""
        known = {*self.columns.positions.values(), self.columns.matched_by}
        return tuple(place for place, index in enumerate(self.columns.original) if index in known)

    def find_cells(self, problems: Sequence[Problem], places: Sequence[int]) -> dict[tuple[int, str], tuple[str, bool]]:
        """Return the text of each cell with a problem, by row and heading, and whether it would pass by its text alone.

        Such a cell is refused for another reason. `places` are columns of `CheckedRow.original`.
        """
        by_heading: dict[str, set[int]] = {}
        for problem in problems:
            by_heading.setdefault(problem.column, set()).add(problem.row)
        found: dict[tuple[int, str], tuple[str, bool]] = {}
        for index in (self.columns.original[place] for place in places):
            heading = self.headings[index]
            rows = sorted(by_heading.get(heading, ()))
            texts = self._frame.iloc[np.searchsorted(self.row_numbers, rows), index].tolist()
            cells = ((text, index in self._marks.get(row, {})) for row, text in zip(rows, texts, strict=True))
            found.update(zip(((row, heading) for row in rows), cells, strict=True))
        return found

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep rows from being sent."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    @cached_property
    def _reasons(self) -> dict[int, str]:
        """Why a row is invalid, in one line, by its number."""
        reasons: dict[int, str] = {}
        for problem in self.errors:
            reason = f"{problem.column}: {problem.message}" if problem.column else _explain_row(problem)
            reasons[problem.row] = f"{reasons[problem.row]}; {reason}" if problem.row in reasons else reason
        return reasons

    @cached_property
    def counts(self) -> dict[Status, int]:
        """How many rows will be sent (`not attempted` so far), have nothing to send, or are invalid."""
        is_filled = np.zeros(len(self), dtype=bool)
        for position in self.columns.positions:
            if position is not CUSTOMER_ID:
                is_filled |= is_filled_mask(self._texts[position.name])
        is_valid = ~np.isin(self.row_numbers, list(self._reasons))
        return {
            Status.NOT_ATTEMPTED: int((is_valid & is_filled).sum()),
            Status.UNCHANGED: int((is_valid & ~is_filled).sum()),
            Status.INVALID: int((~is_valid).sum()),
        }

    def rows(self) -> Iterator[CheckedRow]:
        """Yield every row in the order of the file, built a part at a time so that memory stays bounded."""
        for part in self._parts():
            yield from self._build_rows(self.row_numbers[part].tolist(), self._frame.iloc[part], self._texts.iloc[part])

    def previews(self) -> Iterator[tuple[int, str, str]]:
        """Yield row number, customer id and exact body of every row that will be sent, sooner than `rows` builds it."""
        for part in self._parts():
            ids, encoded = self._encode(self._texts.iloc[part])
            for number, customer_id, body in zip(self.row_numbers[part].tolist(), ids, encoded.bodies(), strict=True):
                if body != NO_CHANGES and number not in self._reasons:
                    yield number, customer_id, body

    def _parts(self) -> Iterator[slice]:
        return (slice(start, start + _ROWS_AT_A_TIME) for start in range(0, len(self), _ROWS_AT_A_TIME))

    def _encode(self, texts: pd.DataFrame) -> tuple[list[str], EncodedRows]:
        columns = {position: texts[position.name] for position in self.columns.positions}
        ids = _read_ids(columns.pop(CUSTOMER_ID))
        return ids, encode_rows(columns, self.options.decimal_mark, self.options.rating_format)

    def _build_rows(self, numbers: Sequence[int], part: pd.DataFrame, texts: pd.DataFrame) -> Iterator[CheckedRow]:
        ids, encoded = self._encode(texts)
        bodies, sent = encoded.bodies(), encoded.sent_fields()
        originals = zip(*(part.iloc[:, index].tolist() for index in self.columns.original), strict=True)
        for number, customer_id, body, names, original in zip(numbers, ids, bodies, sent, originals, strict=True):
            reason = self._reasons.get(number)
            if reason is not None:
                yield self._build_invalid(number, customer_id, original, reason)
            elif names:
                yield CheckedRow(number, customer_id, Status.NOT_ATTEMPTED, body, names, original)
            else:
                yield CheckedRow(number, customer_id, Status.UNCHANGED, None, (), original, "all cells are blank")

    def _build_invalid(self, number: int, customer_id: str, original: tuple[str, ...], reason: str) -> CheckedRow:
        """Return a refused row; cells whose text alone would pass the next time carry a mark."""
        marked = self._marks.get(number, {})
        customer_id = marked.get(self.columns.positions[CUSTOMER_ID], customer_id)
        cells = tuple(marked.get(index, text) for index, text in zip(self.columns.original, original, strict=True))
        return CheckedRow(number, customer_id, Status.INVALID, None, (), cells, reason)


def _explain_row(problem: Problem) -> str:
    """Return why a row is refused as a whole, with the text that belongs to no column and so is in no result."""
    return f"{problem.message} ({quote(problem.value)})" if problem.value else problem.message


def _read_ids(texts: pd.Series) -> list[str]:
    """Return the ids as they will be sent; the cell's text if that is not an id."""
    odd = {
        text: str(parse_cell(CUSTOMER_ID, text).value or text.strip())
        for text in select_unplain(CUSTOMER_ID, ".", texts)
    }
    return [odd.get(text, text) for text in texts.tolist()]
