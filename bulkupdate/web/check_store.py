"""The stored result of checking an upload: problems to page through, and rows to create a run from."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from bulkupdate.customers.models import CheckedRow, Problem, Severity, Status
from bulkupdate.customers.problem_summary import group_problems
from bulkupdate.runs.fetch import count_requests
from bulkupdate.runs.guards import CLEARED_VALUES, PlannedChanges, count_changes
from bulkupdate.runs.input_file import CheckedInput
from bulkupdate.runs.matching.matched_input import MatchedSheet
from bulkupdate.runs.matching.matches import MOST_CANDIDATES, Candidate, Outcome, RowMatch
from bulkupdate.store.sqlite_file import open_scratch_file, write_scratch_file
from bulkupdate.web.check_outcome import OUTCOME, CheckOutcome, write_group
from bulkupdate.web.upload_store import write_json

STORE = "check.sqlite3"
PAGE_ROWS = 100
SHOWN_CHARACTERS = 200
"""How much of a cell's text a page shows."""
_MAX_GROUPS = 60

_TABLES = """
CREATE TABLE rows (row INTEGER PRIMARY KEY, customer_id TEXT, status TEXT, body TEXT, fields TEXT, original TEXT,
    reason TEXT);
CREATE TABLE candidates (row INTEGER, key TEXT, customer_id TEXT, name TEXT, business_name TEXT, email TEXT);
CREATE TABLE problems (row INTEGER, customer_id TEXT, heading TEXT, value TEXT, code TEXT, message TEXT, remedy TEXT,
    severity TEXT);
"""
_PROBLEM = "SELECT row, customer_id, heading, value, code, message, remedy, severity FROM problems"
_CUT_PROBLEM = _PROBLEM.replace("value", f"substr(value, 1, {SHOWN_CHARACTERS + 1})").replace(
    "customer_id", f"substr(customer_id, 1, {SHOWN_CHARACTERS + 1})"
)

_MAY_CLEAR = " OR ".join(f"instr(body, '{value}')" for value in CLEARED_VALUES)


@dataclass(frozen=True)
class ProblemFilter:
    """Which problems to show; an empty text matches all. `page` counts from 1."""

    column: str = ""
    code: str = ""
    severity: str = ""
    page: int = 1


def save_check(folder: Path, checked_input: CheckedInput) -> None:
    """Store the result of a check; the outcome is written last, so that it exists only when all of it does."""
    checked, matched = checked_input.checked, checked_input.matched
    fetch_requests = _save_rows(folder, checked_input)
    groups = group_problems(checked.problems)[:_MAX_GROUPS]
    write_json(
        folder / OUTCOME,
        {
            "message": "", "remedy": "", "sha256": checked_input.sha256, "sheet_name": checked_input.sheet_name or "",
            "notes": checked_input.notes, "headings": checked.original_headings, "rows": len(checked),
            "to_send": checked_input.to_send, "invalid": checked_input.invalid, "fetch_requests": fetch_requests,
            "ids_sha256": _hash_ids(matched), "matched": matched.describe_counts() if matched else "",
            "ambiguous": matched.count().get(Outcome.AMBIGUOUS, 0) if matched else 0,
            "problems": len(checked.problems), "groups": [write_group(group) for group in groups],
        },
    )  # fmt: skip


def _save_rows(folder: Path, checked_input: CheckedInput) -> int:
    """Write rows and problems; return the number of requests that fetching the live values of the rows costs."""
    fields: list[tuple[str, ...]] = []
    with write_scratch_file(folder / STORE, _TABLES) as store:
        store.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)",
            (_write_row(row, fields) for row in checked_input.checked.rows()),
        )
        store.executemany(
            "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (problem.row, problem.customer_id, problem.column, problem.value, problem.code, problem.message,
                 problem.remedy, problem.severity)
                for problem in checked_input.problems
            ),
        )  # fmt: skip
        store.executemany("INSERT INTO candidates VALUES (?, ?, ?, ?, ?, ?)", _list_candidates(checked_input.matched))
    return count_requests(fields)


def _hash_ids(matched: MatchedSheet | None) -> str:
    """Return by what the customers found are recognised; empty if none were searched for."""
    ids = "\n".join(match.customer_id for match in matched.matches) if matched else ""
    return hashlib.sha256(ids.encode("utf-8", "surrogatepass")).hexdigest() if matched else ""


def _list_candidates(matched: MatchedSheet | None) -> Iterator[tuple[int | str, ...]]:
    for match in matched.matches if matched else ():
        if match.outcome is Outcome.AMBIGUOUS:
            for candidate in match.candidates[:MOST_CANDIDATES]:
                yield match.number, match.key, *astuple(candidate)


def _write_row(row: CheckedRow, fields: list[tuple[str, ...]]) -> tuple[object, ...]:
    if row.body is not None:
        fields.append(row.fields)
    original = json.dumps(row.original, ensure_ascii=False)
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
    def to_send(self) -> int:
        """The rows that would be sent, one request each."""
        return self.outcome.to_send

    @property
    def original_headings(self) -> tuple[str, ...]:
        """The file's headings, in the order of `CheckedRow.original`."""
        return self.outcome.headings

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All problems that the check found."""
        with closing(self._open()) as store:
            return tuple(_read_problem(columns) for columns in store.execute(f"{_PROBLEM} ORDER BY rowid"))

    def count_changes(self) -> PlannedChanges:
        """Count what the sheet would change. Only the rows that may clear a field are read."""
        changes = count_changes(self._select_rows(_MAY_CLEAR))
        return replace(changes, rows=self.outcome.rows, updates=self.outcome.to_send)

    def rows(self) -> Iterator[CheckedRow]:
        """Yield the rows in the order of the file."""
        return self._select_rows("1")

    def _select_rows(self, condition: str) -> Iterator[CheckedRow]:
        with closing(self._open()) as store:
            for number, customer_id, status, body, fields, original, reason in store.execute(
                f"SELECT * FROM rows WHERE {condition} ORDER BY row"  # noqa: S608  # a constant
            ):
                names = tuple(name for name in fields.split(",") if name)
                cells = tuple(json.loads(original))
                yield CheckedRow(number, customer_id, Status(status), body, names, cells, reason)

    def page_problems(self, wanted: ProblemFilter) -> tuple[list[Problem], int]:
        """Return one page of the problems that match, and how many match in all."""
        chosen = [("heading", wanted.column), ("code", wanted.code), ("severity", wanted.severity)]
        chosen = [(name, value) for name, value in chosen if value]
        where = " WHERE " + " AND ".join(f"{name} = ?" for name, _ in chosen) if chosen else ""
        values = ["" if value == WHOLE_ROW else value for _, value in chosen]
        with closing(self._open()) as store:
            count = f"SELECT count(*) FROM problems{where}"  # noqa: S608  # the names are constants, the values are bound
            total = store.execute(count, values).fetchone()[0]
            found = store.execute(
                f"{_CUT_PROBLEM}{where} ORDER BY rowid LIMIT ? OFFSET ?",
                (*values, PAGE_ROWS, (max(1, wanted.page) - 1) * PAGE_ROWS),
            ).fetchall()
        return [_read_problem(columns) for columns in found], total

    def list_ambiguous(self, most: int) -> list[RowMatch]:
        """Return the first ambiguous rows with their candidates."""
        rows = "SELECT DISTINCT row FROM candidates ORDER BY row LIMIT ?"
        with closing(self._open()) as store:
            found = store.execute(f"SELECT * FROM candidates WHERE row IN ({rows}) ORDER BY rowid", (most,)).fetchall()  # noqa: S608  # a constant
        return [
            RowMatch(row, key, Outcome.AMBIGUOUS, candidates=tuple(Candidate(*texts) for _, _, *texts in lines))
            for (row, key), lines in groupby(found, key=lambda line: line[:2])
        ]

    def list_choices(self, name: str) -> list[str]:
        """Return the values of `heading` or `code` that the problems can be filtered by."""
        with closing(self._open()) as store:
            found = store.execute(f"SELECT DISTINCT {name} FROM problems ORDER BY 1")  # noqa: S608  # the name is a constant
            return [value or WHOLE_ROW for (value,) in found]

    def _open(self) -> sqlite3.Connection:
        return open_scratch_file(self.path.parent / STORE)


WHOLE_ROW = "(whole row)"
"""The filter's label for problems without a column."""


def _read_problem(columns: Sequence[Any]) -> Problem:
    *words, severity = columns
    return replace(Problem(*words), severity=Severity(severity))
