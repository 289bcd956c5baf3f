"""The stored result of checking an upload: problems to page through, and rows to create a run from."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, astuple, dataclass, replace
from itertools import groupby
from pathlib import Path

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.models import PROBLEM_COLUMNS, REFUSED_MARK, CheckedRow, Correction, Problem, Status
from bulkupdate.customers.problem_summary import group_problems
from bulkupdate.runs.guards import CLEARED_VALUES, PlannedChanges, count_changes
from bulkupdate.runs.live.fetch import count_requests
from bulkupdate.runs.loading.input_file import CheckedInput
from bulkupdate.runs.loading.sheet_reading import UsedReading
from bulkupdate.runs.matching.live_key import LiveKey, make_live_key
from bulkupdate.runs.matching.matched_input import MatchedSheet
from bulkupdate.runs.matching.matches import MOST_CANDIDATES, Candidate, Outcome, RowMatch
from bulkupdate.store.sqlite_file import open_scratch_file, write_scratch_file
from bulkupdate.text import encode_texts
from bulkupdate.web.uploads.check_outcome import CheckOutcome, save_outcome
from bulkupdate.web.uploads.upload_store import Upload

STORE = "check.sqlite3"
SHOWN_CHARACTERS = 200
"""How much of a cell's text a page shows."""
_UNTYPABLE = re.compile("[\\x00-\\x1f\\x7f\\ud800-\\udfff]")
_MAX_GROUPS = 60

_TABLES = """
CREATE TABLE rows (row INTEGER PRIMARY KEY, customer_id TEXT, status TEXT, body TEXT, fields TEXT, original TEXT,
    reason TEXT);
CREATE TABLE candidates (row INTEGER, key TEXT, customer_id TEXT, name TEXT, business_name TEXT, email TEXT);
CREATE TABLE problems (row INTEGER, customer_id TEXT, heading TEXT, value TEXT, code TEXT, message TEXT, remedy TEXT,
    severity TEXT, text TEXT, typable TEXT);
CREATE TABLE corrections (row INTEGER, heading TEXT, before TEXT, after TEXT);
"""
_PROBLEM = "SELECT row, customer_id, heading, value, code, message, remedy, severity FROM problems"

_MAY_CLEAR = " OR ".join(f"instr(body, '{value}')" for value in CLEARED_VALUES)


def save_check(upload: Upload, checked_input: CheckedInput) -> None:
    """Store the result of a check; the outcome is written last, so that it exists only if everything is stored."""
    checked, matched, key = checked_input.checked, checked_input.matched, checked_input.live_key
    fetch_requests = _save_rows(upload.folder, checked_input)
    save_outcome(
        upload,
        sha256=checked_input.sha256,
        sheet_name=checked_input.sheet_name or "",
        notes=checked_input.notes,
        headings=checked.original_headings,
        rows=len(checked),
        to_send=checked_input.to_send,
        invalid=checked_input.invalid,
        fetch_requests=fetch_requests,
        key_field=key.field if key else "",
        key_heading=key.heading if key else "",
        ids_sha256=_hash_ids(matched),
        matched=matched.describe_counts() if matched else "",
        ambiguous=matched.count().get(Outcome.AMBIGUOUS, 0) if matched else 0,
        problems=len(checked.problems),
        groups=[asdict(group) for group in group_problems(checked.problems)[:_MAX_GROUPS]],
        used=asdict(checked_input.used),
        fields=checked_input.fields,
        correctable=checked_input.correctable,
        identifying=checked.identifying,
        corrections=len(checked_input.corrections),
        corrections_sha256=_hash("\n".join(map(repr, checked_input.corrections))),
    )


def _save_rows(folder: Path, checked_input: CheckedInput) -> int:
    """Write rows and problems; return the number of requests that fetching the live values of the rows costs."""
    fields: list[tuple[str, ...]] = []
    checked, problems = checked_input.checked, checked_input.problems
    cells = checked.find_cells(problems, checked_input.correctable)
    with write_scratch_file(folder / STORE, _TABLES) as store:
        store.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)",
            (_write_row(row, fields) for row in checked.rows()),
        )
        store.executemany(
            "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((*PROBLEM_COLUMNS(problem), *_find_text(problem, cells)) for problem in problems),
        )
        store.executemany("INSERT INTO corrections VALUES (?, ?, ?, ?)", map(astuple, checked_input.corrections))
        store.executemany("INSERT INTO candidates VALUES (?, ?, ?, ?, ?, ?)", _list_candidates(checked_input.matched))
    return count_requests(fields)


def _find_text(problem: Problem, cells: Mapping[tuple[int, str], tuple[str, bool]]) -> tuple[str | None, str | None]:
    """Return the text of a problem's cell, and the text that a form gives for it; None if there is none."""
    text, has_other_reason = cells.get((problem.row, problem.column), (None, False))
    is_replaced = text is None or has_other_reason or REFUSED_MARK.search(text)
    return text, None if is_replaced else to_typable(text or "")


def to_typable(text: str) -> str | None:
    """Return a text if a line of a form gives it back as it is, None if not: it has line breaks, or is too long."""
    return None if len(text) > SHOWN_CHARACTERS or _UNTYPABLE.search(text) else text


def _hash_ids(matched: MatchedSheet | None) -> str:
    """Return a hash of the customers found; empty if none were searched for."""
    return _hash("\n".join(match.customer_id for match in matched.matches)) if matched else ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _list_candidates(matched: MatchedSheet | None) -> Iterator[tuple[int | str, ...]]:
    for match in matched.matches if matched else ():
        if match.outcome is Outcome.AMBIGUOUS:
            for candidate in match.candidates[:MOST_CANDIDATES]:
                yield match.number, match.key, *astuple(candidate)


def _write_row(row: CheckedRow, fields: list[tuple[str, ...]]) -> tuple[object, ...]:
    if row.body is not None:
        fields.append(row.fields)
    original = encode_texts(row.original)
    return row.number, row.customer_id, row.status, row.body, ",".join(row.fields), original, row.reason


@dataclass(frozen=True)
class StoredCheck:
    """A checked upload as a run reads it (`runs.input_file.RowSource`)."""

    path: Path
    shown_as: str
    outcome: CheckOutcome

    @property
    def sha256(self) -> str:
        """The hash of the file's content."""
        return self.outcome.sha256

    @property
    def sheet_name(self) -> str | None:
        """The sheet of the workbook that was read; None if the file has none."""
        return self.outcome.sheet_name or None

    @property
    def used(self) -> UsedReading:
        """How the file was read."""
        return self.outcome.used

    @property
    def to_send(self) -> int:
        """The rows that would be sent, one request each."""
        return self.outcome.to_send

    @property
    def original_headings(self) -> tuple[str, ...]:
        """The file's headings, in the order of `CheckedRow.original`."""
        return self.outcome.headings

    @property
    def id_heading(self) -> str:
        """The heading of the column of customer ids; if an earlier version stored the check, that of the template."""
        return next(iter(self.outcome.identifying), CUSTOMER_ID.name)

    @property
    def live_key(self) -> LiveKey | None:
        """How keys are compared with live customers; None if they are not."""
        return make_live_key(self.outcome.key_field, self.outcome.key_heading, self.outcome.headings)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems that the check found."""
        with closing(self.open()) as store:
            return tuple(map(Problem.from_columns, store.execute(f"{_PROBLEM} ORDER BY rowid")))

    def find_problems(self, row: int) -> list[Problem]:
        """Return the problems of one row."""
        with closing(self.open()) as store:
            return list(map(Problem.from_columns, store.execute(f"{_PROBLEM} WHERE row = ? ORDER BY rowid", (row,))))

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """The cells whose texts were replaced before the checks."""
        with closing(self.open()) as store:
            return tuple(Correction(*cell) for cell in store.execute("SELECT * FROM corrections ORDER BY rowid"))

    def count_changes(self) -> PlannedChanges:
        """Count what the sheet would change. Only the rows that may clear a field are read."""
        changes = count_changes(self._select_rows(_MAY_CLEAR))
        return replace(changes, rows=self.outcome.rows, updates=self.outcome.to_send)

    def rows(self) -> Iterator[CheckedRow]:
        """Yield the rows in the order of the file."""
        return self._select_rows("1")

    def find_rows(self, numbers: Iterable[int]) -> Iterator[CheckedRow]:
        """Yield these rows."""
        return self._select_rows(f"row IN ({', '.join(map(str, numbers))})")

    def _select_rows(self, condition: str) -> Iterator[CheckedRow]:
        with closing(self.open()) as store:
            for number, customer_id, status, body, fields, original, reason in store.execute(
                f"SELECT * FROM rows WHERE {condition} ORDER BY row"  # noqa: S608  # a constant
            ):
                names = tuple(name for name in fields.split(",") if name)
                cells = tuple(json.loads(original))
                yield CheckedRow(number, customer_id, Status(status), body, names, cells, reason)

    def list_ambiguous(self, most: int) -> list[RowMatch]:
        """Return the first ambiguous rows with their candidates."""
        rows = "SELECT DISTINCT row FROM candidates ORDER BY row LIMIT ?"
        with closing(self.open()) as store:
            found = store.execute(f"SELECT * FROM candidates WHERE row IN ({rows}) ORDER BY rowid", (most,)).fetchall()  # noqa: S608  # a constant
        return [
            RowMatch(row, key, Outcome.AMBIGUOUS, candidates=tuple(Candidate(*texts) for _, _, *texts in lines))
            for (row, key), lines in groupby(found, key=lambda line: line[:2])
        ]

    def list_refused_values(self, codes: Sequence[str], limit: int) -> list[tuple[str, str]]:
        """Return the heading and the text of different cells with errors of these codes."""
        query = "SELECT DISTINCT heading, value FROM problems WHERE code = ? LIMIT ?"
        with closing(self.open()) as store:
            return [(heading, text) for code in codes for heading, text in store.execute(query, (code, limit))]

    def open(self) -> sqlite3.Connection:
        """Open the file of rows and problems to read it."""
        return open_scratch_file(self.path.parent / STORE)
