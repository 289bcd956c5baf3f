"""The journal: each row's intent before its request, its outcome after. What it says is what happened.

A row's intent *is* the status `unknown` ("sent, no answer"), so that after a crash at any moment the journal says the
truth without anybody mending it; its outcome replaces that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import CheckedRow, Problem, ResultLine, Severity, Status
from bulkupdate.errors import UsageError
from bulkupdate.runs.database import (
    JOURNAL_NAME,
    FileIdentity,
    open_database,
    take_turn,
    transaction,
    translated_errors,
)
from bulkupdate.runs.run_records import NewRun, PendingRow, RowOutcome, Run, RunState, StatusCounts

_ROWS_AT_A_TIME = 500
_Item = TypeVar("_Item")

_UNCONFIRMED = (Status.NOT_ATTEMPTED, Status.UNKNOWN, Status.FAILED)
"""What `resume` sends; a row answered 200 whose read-back is outstanding is `unknown` too, but is not sent again."""

NOT_YET_READ_BACK = "answered 200; not yet read back"
"""The message of a row that was accepted in a run with `--verify`."""

_TO_BE_READ_BACK = f"(status = 'unknown' AND message = '{NOT_YET_READ_BACK}')"
"""The status of the answer does not tell: a 202, or a 200 that says it failed, leaves a row `unknown` too."""

_RUN = """SELECT id, file, sha256, host, username, headings, options, settings, results_path, parent, key, state,
started, finished, stopped_by, calls, (SELECT count(*) FROM rows WHERE rows.run = runs.key) FROM runs
WHERE state != 'loading'"""
"""A run that is still being written down does not count: it is not begun, and nothing of it was sent."""

_LOADING = "loading"
_ROWS_IN_A_COMMIT = 4000
"""Rows written down in one go: some hundredths of a second, in which no other run can write."""

_ABANDONED_AFTER_SECONDS = 86_400.0
"""How old a run that is still being written down must be to count as left behind by a killed process."""

_CHILDREN = ("snapshots", "seen", "problems", "rows", "inputs")


class Journal:
    """One database for all runs of a state folder. Each thread opens its own.

    Every method raises `JournalError` where the file cannot be written or read.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.path = folder / JOURNAL_NAME
        self._clock = clock
        self._connection = open_database(folder)
        with translated_errors(self.path):
            self._identity = FileIdentity.of(self.path)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self._connection.close()

    # -- a run as a whole ---------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Hold the turn to write, in one transaction on the file that was opened.

        Raises `JournalError` if that file is gone: nothing more may be sent.
        """
        with translated_errors(self.path):
            self._identity.require(self.path)
            with take_turn(self.path), transaction(self._connection):
                yield

    def require_present(self) -> None:
        """Raise `JournalError` if the file was deleted, replaced or emptied since it was opened."""
        with translated_errors(self.path):
            self._identity.require(self.path)

    def add_run(self, new: NewRun, rows: Iterable[CheckedRow], problems: Iterable[Problem] = ()) -> Run:
        """Write down a run with all its rows before anything is sent.

        They are written a few thousand at a time, so that other runs can go on meanwhile; the run counts only when all
        of it is there.
        """
        self._delete_abandoned()
        key = self._insert_run(new)
        self._write_in_parts(rows, lambda part: self._add_rows(key, part))
        self._write_in_parts(problems, lambda part: self._add_problems(key, part))
        with self._writing():
            self._connection.execute("UPDATE runs SET state = ? WHERE key = ?", (RunState.STOPPED, key))
        return self.find_run(new.id)

    def _insert_run(self, new: NewRun) -> int:
        with self._writing():
            key = self._connection.execute(
                "INSERT INTO runs (id, file, sha256, host, username, headings, options, settings, results_path, parent,"
                " state, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    new.id, new.file, new.sha256, new.host, new.username, _to_json(new.headings), _to_json(new.options),
                    _to_json(new.settings), new.results_path, new.parent, _LOADING, format_utc(self._clock.now()),
                ),
            ).lastrowid  # fmt: skip
        return int(key or 0)

    def _write_in_parts(self, items: Iterable[_Item], write: Callable[[list[_Item]], object]) -> None:
        """Write the items a few thousand at a time, each part in a transaction of its own.

        The items are made outside of the transaction, and the others are given their turn after each.
        """
        remaining = iter(items)
        while part := list(islice(remaining, _ROWS_IN_A_COMMIT)):
            with self._writing():
                write(part)

    def _add_problems(self, key: int, problems: Sequence[Problem]) -> None:
        self._connection.executemany(
            "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((key, p.row, p.customer_id, p.column, p.value, p.code, p.message, p.remedy, p.severity) for p in problems),
        )

    def _add_rows(self, key: int, rows: Sequence[CheckedRow]) -> None:
        self._connection.executemany(
            "INSERT INTO inputs VALUES (?, ?, ?, ?, ?)",
            ((key, row.number, row.body, ",".join(row.fields), _to_json(row.original)) for row in rows),
        )
        now = format_utc(self._clock.now())
        self._connection.executemany(
            "INSERT INTO rows (run, row, customer_id, status, message, finished_at, may_be_applied)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (key, row.number, row.customer_id, row.status, row.reason,
                 "" if row.status is Status.NOT_ATTEMPTED else now, row.may_be_applied)
                for row in rows
            ),
        )  # fmt: skip

    def _delete_abandoned(self) -> None:
        """Delete what killed processes have left half written."""
        before = format_utc(self._clock.now() - _ABANDONED_AFTER_SECONDS)
        for (key,) in self.select("SELECT key FROM runs WHERE state = 'loading' AND started < ?", (before,)):
            self._delete_run(key)

    def _delete_run(self, key: int) -> None:
        """Delete a run that counts no more, a few thousand rows at a time."""
        for table in _CHILDREN:
            deleted = _ROWS_IN_A_COMMIT
            while deleted == _ROWS_IN_A_COMMIT:
                deleted = self._delete_part(table, key)
        with self._writing():
            self._connection.execute("DELETE FROM runs WHERE key = ?", (key,))

    def _delete_part(self, table: str, key: int) -> int:
        column = "rowid" if table == "problems" else "row"
        part = f"SELECT {column} FROM {table} WHERE run = ?1 LIMIT {_ROWS_IN_A_COMMIT}"  # noqa: S608 - only constants
        with self._writing():
            return self._connection.execute(
                f"DELETE FROM {table} WHERE run = ?1 AND {column} IN ({part})",  # noqa: S608 - only constants
                (key,),
            ).rowcount

    def find_run(self, run_id: str | None = None, *, unfinished: bool = False) -> Run:
        """Return the run of this id; without one the newest, or the newest unfinished. Raises `UsageError` for none."""
        if run_id is not None:
            found = self._select_runs("AND id = ?", run_id)
        elif unfinished:
            found = self._select_runs("AND state != ? ORDER BY key DESC LIMIT 1", RunState.FINISHED)
        else:
            found = self._select_runs("ORDER BY key DESC LIMIT 1")
        if found:
            return found[0]
        what = f"run {run_id}" if run_id else "unfinished run" if unfinished else "run"
        raise UsageError(f"There is no {what} in the journal {self.path}.", remedy="`bulkupdate runs` lists them.")

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        return self._select_runs("ORDER BY key DESC")

    def runs_of_file(self, sha256: str, host: str) -> list[Run]:
        """Return the runs of a file with this content to this host, newest first."""
        return self._select_runs("AND sha256 = ? AND host = ? ORDER BY key DESC", sha256, host)

    def _select_runs(self, condition: str, *values: str) -> list[Run]:
        with translated_errors(self.path):
            found = self._connection.execute(f"{_RUN} {condition}", values).fetchall()
        return [_read_run(columns) for columns in found]

    def set_state(self, run: Run, state: RunState, *, stopped_by: str = "", calls: int | None = None) -> None:
        """Say how far a run is; its end is now unless it goes on. `calls` None leaves the count as it is."""
        ended = "" if state is RunState.RUNNING else format_utc(self._clock.now())
        with self._writing():
            self._connection.execute(
                "UPDATE runs SET state = ?, finished = ?, stopped_by = ?, calls = coalesce(?, calls) WHERE key = ?",
                (state, ended, stopped_by, calls, run.key),
            )

    def set_results_path(self, run: Run, path: Path) -> None:
        """Remember where a run's results are from now on."""
        with self._writing():
            self._connection.execute("UPDATE runs SET results_path = ? WHERE key = ?", (str(path), run.key))

    def set_file(self, run_id: str, path: Path) -> None:
        """Remember where a run's input has been moved to."""
        with self._writing():
            self._connection.execute("UPDATE runs SET file = ? WHERE id = ?", (str(path), run_id))

    def purge(self, started_before: str, keep: Sequence[str] = ()) -> int:
        """Delete the runs that began before this time (ISO 8601, UTC), with their data; return how many they were.

        The runs whose ids are in `keep` stay.
        """
        with translated_errors(self.path):
            self._connection.execute("PRAGMA secure_delete = ON")  # even where there is no room for VACUUM
        with self._writing():
            keys = self._connection.execute(
                "UPDATE runs SET state = 'loading' WHERE started < ? AND state != 'loading'"
                " AND id NOT IN (SELECT value FROM json_each(?)) RETURNING key",
                (started_before, _to_json(list(keep))),
            ).fetchall()
        for (key,) in keys:
            self._delete_run(key)
        self._delete_abandoned()
        with translated_errors(self.path):
            if keys and not self._is_anything_running():  # what is deleted must not stay in free pages or in the log
                self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(keys)

    def _is_anything_running(self) -> bool:
        """Return whether a run is being sent, which must not wait until the file has been written anew."""
        return bool(self.select("SELECT 1 FROM runs WHERE state IN (?, 'loading') LIMIT 1", (RunState.RUNNING,)))

    # -- for the modules that keep more of a run (`snapshots.py`, `confirmed_values.py`) --------------------------

    def select(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All that a query of theirs finds."""
        with translated_errors(self.path):
            return self._connection.execute(query, values).fetchall()

    def change(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement of theirs for each of these rows, a few thousand in a commit."""
        self._write_in_parts(rows, lambda part: self._connection.executemany(statement, part))

    # -- its rows -----------------------------------------------------------------------------------------------

    def tally(self, run: Run) -> StatusCounts:
        """How many rows have which status."""
        with translated_errors(self.path):
            counted = self._connection.execute(
                "SELECT status, count(*) FROM rows WHERE run = ? GROUP BY status", (run.key,)
            ).fetchall()
        return StatusCounts({Status(status): count for status, count in counted})

    def pending(self, run: Run) -> Iterator[PendingRow]:
        """Return the rows to be sent, in the order of the file: those not confirmed, but for read-backs outstanding."""
        return self._page_rows(run, f"status IN ({_quote(_UNCONFIRMED)}) AND NOT {_TO_BE_READ_BACK}")

    def awaiting_read_back(self, run: Run) -> Iterator[PendingRow]:
        """Return the rows that the service answered 200 and that `--verify` has still to read back."""
        return self._page_rows(run, _TO_BE_READ_BACK)

    def _page_rows(self, run: Run, condition: str) -> Iterator[PendingRow]:
        last = 0
        query = (
            "SELECT row, customer_id, body, fields, attempts, may_be_applied FROM rows JOIN inputs USING (run, row)"  # noqa: S608 - words of ours
            f" WHERE run = ? AND row > ? AND {condition} ORDER BY row LIMIT {_ROWS_AT_A_TIME}"
        )
        while True:
            with translated_errors(self.path):
                page = self._connection.execute(query, (run.key, last)).fetchall()
            for row, customer_id, body, fields, attempts, may_be_applied in page:
                yield PendingRow(row, customer_id, body, tuple(fields.split(",")), attempts, bool(may_be_applied))
            if len(page) < _ROWS_AT_A_TIME:
                return
            last = page[-1][0]

    def record(
        self, run: Run, *, outcomes: Sequence[RowOutcome] = (), intents: Sequence[PendingRow] = (), calls: int = 0
    ) -> None:
        """In one commit: what became of the rows answered, and that these others are about to be sent.

        The commit's number in the journal's sequence tells, without a clock, what came after what.
        """
        with self._writing():
            self._connection.execute("UPDATE sequence SET last = last + 1")
            number = self._connection.execute("SELECT last FROM sequence").fetchone()[0]
            self._connection.executemany(
                "UPDATE rows SET status = ?, http_status = ?, attempts = ?, message = ?, finished_at = ?,"
                " may_be_applied = ?, ended = ? WHERE run = ? AND row = ?",
                (
                    (each.status, each.http_status, each.attempts, each.message, each.finished_at,
                     each.may_be_applied, number, run.key, each.row)
                    for each in outcomes
                ),
            )  # fmt: skip
            self._connection.executemany(
                "UPDATE rows SET status = 'unknown', http_status = NULL, message = 'sent, no answer yet',"
                " finished_at = '', may_be_applied = 1, sent = ?, ended = NULL WHERE run = ? AND row = ?",
                ((number, run.key, each.number) for each in intents),
            )
            if calls:
                self._connection.execute("UPDATE runs SET calls = ? WHERE key = ?", (calls, run.key))

    def sequence(self) -> int:
        """Return the number of the last commit in which rows were sent or answered, over all runs."""
        return int(self.select("SELECT last FROM sequence")[0][0])

    def lines(self, run: Run, statuses: Sequence[Status] = tuple(Status)) -> Iterator[ResultLine]:
        """Yield the rows with one of these statuses as the results show them, in the order of the file."""
        with translated_errors(self.path), closing(self._connection.cursor()) as cursor:
            cursor.execute(
                "SELECT row, customer_id, status, http_status, attempts, fields, message, finished_at, original"  # noqa: S608 - words of ours
                " FROM rows JOIN inputs USING (run, row)"
                f" WHERE run = ? AND status IN ({_quote(statuses)}) ORDER BY row",
                (run.key,),
            )
            while found := cursor.fetchmany(_ROWS_AT_A_TIME):
                yield from (_read_line(columns) for columns in found)

    def checked_rows(self, run: Run, statuses: Sequence[Status]) -> Iterator[CheckedRow]:
        """Yield the rows with one of these statuses as they were checked, to be sent by a new run."""
        with translated_errors(self.path), closing(self._connection.cursor()) as cursor:
            cursor.execute(
                "SELECT row, customer_id, body, fields, original, may_be_applied FROM rows JOIN inputs USING (run, row)"  # noqa: S608 - words of ours
                f" WHERE run = ? AND body IS NOT NULL AND status IN ({_quote(statuses)}) ORDER BY row",
                (run.key,),
            )
            for row, customer_id, body, fields, original, may_be_applied in cursor.fetchall():
                yield CheckedRow(
                    row, customer_id, Status.NOT_ATTEMPTED, body, tuple(fields.split(",")),
                    tuple(json.loads(original)), may_be_applied=bool(may_be_applied),
                )  # fmt: skip

    def problems(self, run: Run) -> list[Problem]:
        """Return what the checks found in the run's file."""
        with translated_errors(self.path):
            found = self._connection.execute(
                "SELECT row, customer_id, heading, value, code, message, remedy, severity FROM problems WHERE run = ?"
                " ORDER BY rowid",
                (run.key,),
            ).fetchall()
        return [_read_problem(columns) for columns in found]


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _quote(statuses: Sequence[Status]) -> str:
    return ", ".join(f"'{status.value}'" for status in statuses)


def _read_run(columns: Sequence[Any]) -> Run:
    values = list(columns)
    values[5:8] = tuple(json.loads(values[5])), json.loads(values[6]), json.loads(values[7])
    values[11] = RunState(values[11])
    return Run(*values)


def _read_problem(columns: Sequence[Any]) -> Problem:
    *words, severity = columns
    return replace(Problem(*words), severity=Severity(severity))


def _read_line(columns: Sequence[Any]) -> ResultLine:
    row, customer_id, status, http_status, attempts, fields, message, finished_at, original = columns
    names = tuple(name for name in fields.split(",") if name)
    cells = tuple(json.loads(original))
    return ResultLine(row, customer_id, Status(status), http_status, attempts, names, message, finished_at, cells)
