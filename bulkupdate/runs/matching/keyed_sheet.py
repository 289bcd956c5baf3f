"""A sheet whose customers are identified by another key: its rows' keys, and the sheet with the ids filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.headings import HeaderRow, recognize_headings
from bulkupdate.customers.models import Severity
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matches import KeyedRow, RowMatch, describe_match
from bulkupdate.spreadsheets.reading.sheet import Sheet


@dataclass(frozen=True)
class KeyedSheet:
    """A sheet with a key column, which is `matched_by` of its `header`."""

    sheet: Sheet
    key: Key
    key_column: int

    @property
    def key_heading(self) -> str:
        """The heading of the key column, as it is in the file."""
        return self.sheet.headings[self.key_column]

    @property
    def id_heading(self) -> str:
        """The heading of the customer ids, as it is in the file or as it will be added."""
        column = self.sheet.header.key_column
        return CUSTOMER_ID.name if column is None else self.sheet.headings[column]

    def list_rows(self) -> list[KeyedRow]:
        """Return every row with its key, and with its id if it has one.

        A key cell that was refused (a rounded number, an error) does not count: it could be the key of another
        customer.
        """
        numbers: list[int] = self.sheet.row_numbers.tolist()
        texts = self.sheet.frame.iloc[:, self.key_column].tolist()
        refused = self._find_refused()
        keys = [
            "" if number in refused else self.key.normalise(text) for number, text in zip(numbers, texts, strict=True)
        ]
        ids = map(_normalise_id, self.sheet.customer_ids or [""] * len(numbers))
        return [KeyedRow(*row) for row in zip(numbers, keys, ids, strict=True)]

    def refuse_errors(self) -> KeyedSheet:
        """Return the sheet with a problem for each cell whose text cannot be a key."""
        numbers, texts = self.sheet.row_numbers.tolist(), self.sheet.frame.iloc[:, self.key_column].tolist()
        refused = self._find_refused()
        found = tuple(
            error.at(number, "", self.key_heading, text)
            for number, text in zip(numbers, texts, strict=True)
            if number not in refused and (error := self.key.find_error(text))
        )
        return replace(self, sheet=replace(self.sheet, problems=(*self.sheet.problems, *found)))

    def _find_refused(self) -> set[int]:
        errors = (problem for problem in self.sheet.problems if problem.severity is Severity.ERROR)
        return {problem.row for problem in errors if problem.column == self.key_heading}

    def fill_in(self, matches: Sequence[RowMatch]) -> Sheet:
        """Return the sheet with the ids found, and with a problem for each row whose customer is not certain.

        If the sheet has no column of ids, one is added after its own columns.
        """
        problems = (describe_match(match, self.key_heading, self.id_heading) for match in matches)
        header = self.sheet.header
        if header.key_column is None:
            header = replace(
                header, headings=(*header.headings, CUSTOMER_ID.name), fields=(*header.fields, CUSTOMER_ID)
            )
        frame = self.sheet.frame.copy(deep=False)
        ids = [match.customer_id for match in matches]
        frame[header.key_column] = pd.array(ids, dtype=frame.dtypes.iloc[self.key_column])
        by_row = {match.number: match.customer_id for match in matches}
        known = (replace(problem, customer_id=by_row[problem.row]) for problem in self.sheet.problems)
        found = (*known, *(problem for problem in problems if problem is not None))
        return replace(self.sheet, frame=frame, header=header, problems=found)


def find_key_column(sheet: Sheet, key: Key, heading_map: Mapping[str, str], where: str) -> KeyedSheet:
    """Return the sheet with its key column known. Raises `InputFileError` if there is none, or more than one.

    `sheet` may have been read with the heading map of `Key.map_to_id`; `heading_map` is the user's own.
    """
    header = recognize_headings(sheet.headings, heading_map, number=sheet.header.number)
    column = key.find_column(header, where)
    return KeyedSheet(replace(sheet, header=_mark_key(header, column)), key, column).refuse_errors()


def _mark_key(header: HeaderRow, column: int) -> HeaderRow:
    fields = tuple(None if index == column else field for index, field in enumerate(header.fields))
    return replace(header, fields=fields, matched_by=column)


def _normalise_id(text: str) -> str:
    """Return the id as it will be sent, or the text itself, which the checks will refuse, if it is not an id."""
    if not text.strip():
        return ""
    return str(parse_cell(CUSTOMER_ID, text).value or text)
