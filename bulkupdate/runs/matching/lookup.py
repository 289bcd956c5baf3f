"""Find customers in a lookup sheet: a second file with customer ids and the key's column. Makes no request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bulkupdate.clock import format_duration, format_local_time
from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME
from bulkupdate.customers.models import Severity
from bulkupdate.customers.problem_summary import name_rows
from bulkupdate.errors import InputFileError
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matches import Candidate
from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet
from bulkupdate.text import pluralize

_SHOWN_ROWS = 5
_SHOWN_FIELDS = tuple(FIELD_BY_NAME[name] for name in ("Name", "BusinessName", "Email"))


@dataclass(frozen=True)
class Lookup:
    """The customers of a lookup sheet by their normalised keys, without duplicates, and when the file was saved.

    `saved_at` is in seconds since 1970.
    """

    path: Path
    customers: Mapping[str, Sequence[Candidate]]
    saved_at: float

    def describe(self, now: float) -> str:
        """Return a sentence about the file and its age; `now` is in seconds since 1970."""
        count = len({candidate.customer_id for found in self.customers.values() for candidate in found})
        return (
            f"The customers were looked up in {self.path.name} ({pluralize(count, 'customer')}), which was saved at "
            f"{format_local_time(self.saved_at, now)}, {format_duration(now - self.saved_at)} ago. Later changes are "
            "not in it."
        )


def read_lookup(path: Path, key: Key, options: ReadOptions) -> Lookup:
    """Read a lookup sheet. Rows without an id or without a key are left out.

    Raises `InputFileError` if it lacks one of the two columns, or if an id or a key in it cannot be read for certain.
    """
    sheet = read_sheet(path, replace(options, sheet=None))
    saved_at = path.stat().st_mtime
    column = key.find_column(sheet.header, f"The lookup sheet {path}")
    texts = sheet.frame.iloc[:, column].tolist()
    bad = {row for row, text in zip(sheet.row_numbers.tolist(), texts, strict=True) if key.find_error(text)}
    _refuse_rows(path, sorted(bad | _find_uncertain(sheet, column)), "cannot be read for certain")
    keys = map(key.normalise, texts)
    found: dict[str, dict[str, Candidate]] = defaultdict(dict)
    for text, candidate in zip(keys, _list_candidates(sheet, path), strict=True):
        if text and candidate.customer_id:
            found[text].setdefault(candidate.customer_id, candidate)
    return Lookup(path, {text: tuple(candidates.values()) for text, candidates in found.items()}, saved_at)


def _list_candidates(sheet: Sheet, path: Path) -> list[Candidate]:
    """Return the customer of each row, without an id if its cell is blank."""
    texts = sheet.customer_ids
    ids = [str(parse_cell(CUSTOMER_ID, text).value or "") for text in texts]
    numbers = sheet.row_numbers.tolist()
    bad = [row for row, text, parsed in zip(numbers, texts, ids, strict=True) if text.strip() and not parsed]
    _refuse_rows(path, bad, "hold no valid customer id")
    fields = sheet.header.fields
    shown = [
        sheet.frame.iloc[:, fields.index(field)].tolist() if field in fields else [""] * len(ids)
        for field in _SHOWN_FIELDS
    ]
    return [Candidate(*values) for values in zip(ids, *shown, strict=True)]


def _find_uncertain(sheet: Sheet, key_column: int) -> set[int]:
    """Return the rows of which the key, the id or all cells could not be read for certain."""
    id_column = sheet.header.key_column
    headings = {"", sheet.headings[key_column], *([] if id_column is None else [sheet.headings[id_column]])}
    errors = (problem for problem in sheet.problems if problem.severity is Severity.ERROR)
    return {error.row for error in errors if error.column in headings}


def _refuse_rows(path: Path, rows: Sequence[int], what: str) -> None:
    if rows:
        raise InputFileError(
            f"The lookup sheet {path}: {len(rows):,} of its rows {what} ({name_rows(rows[:_SHOWN_ROWS], len(rows))}).",
            remedy="Correct these rows, or delete them.",
        )
