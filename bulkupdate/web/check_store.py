"""What the check of an upload found, kept on disk: problems to page through, rows to begin a run with."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bulkupdate.customers.models import CheckedRow, Problem, Severity, Status
from bulkupdate.customers.problem_summary import ProblemGroup, group_problems
from bulkupdate.runs.fetch import count_calls
from bulkupdate.runs.input_file import CheckedInput
from bulkupdate.store.sqlite_file import open_scratch_file, write_scratch_file
from bulkupdate.web.upload_store import read_json, write_json

STORE = "check.sqlite3"
OUTCOME = "outcome.json"
PAGE_ROWS = 100
SHOWN_CHARACTERS = 200
"""Of a cell's text on a page."""
_MOST_GROUPS = 60

_TABLES = """
CREATE TABLE rows (row INTEGER PRIMARY KEY, customer_id TEXT, status TEXT, body TEXT, fields TEXT, original TEXT,
    reason TEXT);
CREATE TABLE problems (row INTEGER, customer_id TEXT, heading TEXT, value TEXT, code TEXT, message TEXT, remedy TEXT,
    severity TEXT);
"""
_PROBLEM = "SELECT row, customer_id, heading, value, code, message, remedy, severity FROM problems"
_CUT_PROBLEM = _PROBLEM.replace("value", f"substr(value, 1, {SHOWN_CHARACTERS + 1})").replace(
    "customer_id", f"substr(customer_id, 1, {SHOWN_CHARACTERS + 1})"
)


@dataclass(frozen=True)
class CheckOutcome:
    """How a check ended.

    The file was refused, with `message` and `remedy`, or checked, with the counts of rows. `reading` is how many calls
    it costs to read the live values of what would be sent.
    """

    message: str
    remedy: str
    sha256: str = ""
    sheet_name: str = ""
    notes: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: int = 0
    to_send: int = 0
    invalid: int = 0
    reading: int = 0
    problems: int = 0
    groups: tuple[ProblemGroup, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether the file could not be taken at all."""
        return bool(self.message)

    @property
    def unchanged(self) -> int:
        """The rows with nothing to send."""
        return self.rows - self.to_send - self.invalid


@dataclass(frozen=True)
class ProblemFilter:
    """Which problems are asked for; an empty text asks for all. `page` counts from 1."""

    column: str = ""
    code: str = ""
    severity: str = ""
    page: int = 1


def keep_check(folder: Path, intake: CheckedInput) -> None:
    """Write down what a check found; the outcome last, so that it stands only when all of it is there."""
    checked = intake.checked
    reading = _keep_rows(folder, intake)
    groups = group_problems(checked.problems)[:_MOST_GROUPS]
    write_json(
        folder / OUTCOME,
        {
            "message": "", "remedy": "", "sha256": intake.sha256, "sheet_name": intake.sheet_name or "",
            "notes": intake.notes, "headings": checked.original_headings, "rows": len(checked),
            "to_send": intake.to_send, "invalid": intake.invalid, "reading": reading,
            "problems": len(checked.problems), "groups": [_write_group(group) for group in groups],
        },
    )  # fmt: skip


def _keep_rows(folder: Path, intake: CheckedInput) -> int:
    """Write rows and problems, in one go; the calls it costs to read what the rows would change."""
    fields: list[tuple[str, ...]] = []
    with write_scratch_file(folder / STORE, _TABLES) as store:
        store.executemany(
            "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)",
            (_write_row(row, fields) for row in intake.checked.rows()),
        )
        store.executemany(
            "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (each.row, each.customer_id, each.column, each.value, each.code, each.message, each.remedy,
                 each.severity)
                for each in intake.checked.problems
            ),
        )  # fmt: skip
    return count_calls(fields)


def _write_row(row: CheckedRow, fields: list[tuple[str, ...]]) -> tuple[object, ...]:
    if row.body is not None:
        fields.append(row.fields)
    original = json.dumps(row.original, ensure_ascii=False)
    return row.number, row.customer_id, row.status, row.body, ",".join(row.fields), original, row.reason


def keep_refusal(folder: Path, message: str, remedy: str | None) -> None:
    """Write down that the file cannot be taken."""
    write_json(folder / OUTCOME, {"message": message, "remedy": remedy or ""})


def forget_outcome(folder: Path) -> None:
    """Delete how the check ended, so that the sheet is checked again."""
    (folder / OUTCOME).unlink(missing_ok=True)
    for report in folder.glob("check-report*"):
        report.unlink(missing_ok=True)


def read_outcome(folder: Path) -> CheckOutcome | None:
    """How the check of this upload ended; None while it has not, or where what was kept is of another version."""
    kept = read_json(folder / OUTCOME)
    if kept is None:
        return None
    kept["groups"] = tuple(_read_group(each) for each in kept.get("groups", ()))
    kept["notes"], kept["headings"] = tuple(kept.get("notes", ())), tuple(kept.get("headings", ()))
    try:
        return CheckOutcome(**kept)
    except TypeError:
        return None


@dataclass(frozen=True)
class KeptCheck:
    """A checked upload as a run needs it (`runs.intake.RowSource`)."""

    path: Path
    shown_as: str
    outcome: CheckOutcome

    @property
    def sha256(self) -> str:
        """The content of the file, by which it is known again."""
        return self.outcome.sha256

    @property
    def checked(self) -> KeptCheck:
        """Rows and problems are here."""
        return self

    @property
    def original_headings(self) -> tuple[str, ...]:
        """The file's headings, in the order of `CheckedRow.original`."""
        return self.outcome.headings

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the checks found."""
        with closing(self._open()) as store:
            return tuple(_read_problem(columns) for columns in store.execute(f"{_PROBLEM} ORDER BY rowid"))

    def rows(self, after: int = 0) -> Iterator[CheckedRow]:
        """Every row, in the order of the file; only those after that number."""
        with closing(self._open()) as store:
            for number, customer_id, status, body, fields, original, reason in store.execute(
                "SELECT * FROM rows WHERE row > ? ORDER BY row", (after,)
            ):
                names = tuple(name for name in fields.split(",") if name)
                cells = tuple(json.loads(original))
                yield CheckedRow(number, customer_id, Status(status), body, names, cells, reason)

    def page_problems(self, wanted: ProblemFilter) -> tuple[list[Problem], int]:
        """One page of the problems asked for, and how many there are on all pages."""
        chosen = [("heading", wanted.column), ("code", wanted.code), ("severity", wanted.severity)]
        chosen = [(name, value) for name, value in chosen if value]
        where = " WHERE " + " AND ".join(f"{name} = ?" for name, _ in chosen) if chosen else ""
        values = ["" if value == WHOLE_ROW else value for _, value in chosen]
        with closing(self._open()) as store:
            count = f"SELECT count(*) FROM problems{where}"  # noqa: S608  # the names are ours, the values are bound
            total = store.execute(count, values).fetchone()[0]
            found = store.execute(
                f"{_CUT_PROBLEM}{where} ORDER BY rowid LIMIT ? OFFSET ?",
                (*values, PAGE_ROWS, (max(1, wanted.page) - 1) * PAGE_ROWS),
            ).fetchall()
        return [_read_problem(columns) for columns in found], total

    def list_choices(self, name: str) -> list[str]:
        """Return what the problems can be filtered by: the values of `heading` or `code`."""
        with closing(self._open()) as store:
            found = store.execute(f"SELECT DISTINCT {name} FROM problems ORDER BY 1")  # noqa: S608  # the name is ours
            return [value or WHOLE_ROW for (value,) in found]

    def _open(self) -> sqlite3.Connection:
        return open_scratch_file(self.path.parent / STORE)


WHOLE_ROW = "(whole row)"
"""How a problem without a column is called in the filter."""


def _read_problem(columns: Sequence[Any]) -> Problem:
    *words, severity = columns
    return replace(Problem(*words), severity=Severity(severity))


def _write_group(group: ProblemGroup) -> dict[str, Any]:
    names = ProblemGroup.__dataclass_fields__
    return {name: getattr(group, name) for name in names}


def _read_group(kept: dict[str, Any]) -> ProblemGroup:
    return ProblemGroup(**{**kept, "severity": Severity(kept["severity"]), "first_rows": tuple(kept["first_rows"])})
