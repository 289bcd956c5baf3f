"""The runs of the journal, and what was read and checked of their files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import CheckedRow, Problem, Severity, Status
from bulkupdate.errors import JournalError, UsageError
from bulkupdate.runs.run_records import NewRun, Run, RunOptions, RunState
from bulkupdate.store.journal_file import RESUME_IT, JournalFile

_RUN = """SELECT id, file, sha256, host, username, headings, options, settings, results_path, parent, key, state,
started, finished, stopped_by, calls, (SELECT count(*) FROM rows WHERE rows.run = runs.key) FROM runs
WHERE state != 'loading'"""
"""A run that is still being written down does not count: it has not begun, and nothing of it was sent."""

_LOADING = "loading"

_ABANDONED_AFTER_SECONDS = 86_400.0
"""How old a run that is still being written down must be to count as left behind by a killed process."""

_CHILDREN = ("snapshots", "seen", "problems", "rows", "inputs")


@dataclass(frozen=True)
class RunHead:
    """What a list of runs needs of each, without counting its rows."""

    id: str
    file: str
    host: str
    username: str


class RunTable(JournalFile):
    """The runs as a whole."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        super().__init__(folder)
        self._clock = clock

    def add_run(self, new: NewRun, rows: Iterable[CheckedRow], problems: Iterable[Problem] = ()) -> Run:
        """Record a run with all its rows before anything is sent.

        They are written a few thousand at a time, so that other runs can continue meanwhile; the run counts only when
        all of it is written.
        """
        try:
            self._delete_abandoned()
            key = self._insert_run(new)
            self.write_in_parts(rows, lambda part: self._add_rows(key, part))
            self.write_in_parts(problems, lambda part: self._add_problems(key, part))
            with self.writing():
                self.connection.execute("UPDATE runs SET state = ? WHERE key = ?", (RunState.STOPPED, key))
        except JournalError as error:  # there is no run yet that could be resumed
            error.remedy = (error.remedy or "").replace(RESUME_IT, "run the same command again")
            raise
        return self.find_run(new.id)

    def _insert_run(self, new: NewRun) -> int:
        with self.writing():
            key = self.connection.execute(
                "INSERT INTO runs (id, file, sha256, host, username, headings, options, settings, results_path, parent,"
                " state, started) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    new.id, new.file, new.sha256, new.host, new.username, _to_json(new.headings),
                    _to_json(new.options.to_json()), _to_json(new.settings), new.results_path, new.parent, _LOADING,
                    format_utc(self._clock.now()),
                ),
            ).lastrowid  # fmt: skip
        return int(key or 0)

    def _add_problems(self, key: int, problems: Sequence[Problem]) -> None:
        self.connection.executemany(
            "INSERT INTO problems VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((key, p.row, p.customer_id, p.column, p.value, p.code, p.message, p.remedy, p.severity) for p in problems),
        )

    def _add_rows(self, key: int, rows: Sequence[CheckedRow]) -> None:
        self.connection.executemany(
            "INSERT INTO inputs VALUES (?, ?, ?, ?, ?)",
            ((key, row.number, row.body, ",".join(row.fields), _to_json(row.original)) for row in rows),
        )
        now = format_utc(self._clock.now())
        self.connection.executemany(
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
        """Delete a run that no longer counts, a few thousand rows at a time."""
        for table in _CHILDREN:
            self.delete_in_parts(table, key)
        with self.writing():
            self.connection.execute("DELETE FROM runs WHERE key = ?", (key,))

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
        remedy = "`bulkupdate runs` lists all." if self.runs() else "`bulkupdate run FILE` starts the first one."
        raise UsageError(f"There is no {what} in the journal {self.path}.", remedy=remedy)

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        return self._select_runs("ORDER BY key DESC")

    def is_being_written(self, run_id: str) -> bool:
        """Return whether a run of this id has begun to be written down, but not all of it is there."""
        return bool(self.select("SELECT 1 FROM runs WHERE id = ? AND state = ?", (run_id, _LOADING)))

    def run_heads(self) -> list[RunHead]:
        """Return what a list of all runs needs, newest first."""
        query = "SELECT id, file, host, username FROM runs WHERE state != 'loading' ORDER BY key DESC"
        return [RunHead(*columns) for columns in self.select(query)]

    def runs_of_file(self, sha256: str, host: str) -> list[Run]:
        """Return the runs of a file with this content to this host, newest first."""
        return self._select_runs("AND sha256 = ? AND host = ? ORDER BY key DESC", sha256, host)

    def _select_runs(self, condition: str, *values: str) -> list[Run]:
        with self.translated():
            found = self.connection.execute(f"{_RUN} {condition}", values).fetchall()
        return [_read_run(columns) for columns in found]

    def set_state(self, run: Run, state: RunState, *, stopped_by: str = "", calls: int | None = None) -> None:
        """Record the state of a run, and its end unless it is running. `calls` None leaves the count unchanged."""
        ended = "" if state is RunState.RUNNING else format_utc(self._clock.now())
        with self.writing():
            self.connection.execute(
                "UPDATE runs SET state = ?, finished = ?, stopped_by = ?, calls = coalesce(?, calls) WHERE key = ?",
                (state, ended, stopped_by, calls, run.key),
            )

    def set_results_path(self, run: Run, path: Path) -> None:
        """Record where the results of a run are from now on."""
        with self.writing():
            self.connection.execute("UPDATE runs SET results_path = ? WHERE key = ?", (str(path), run.key))

    def set_options(self, run: Run, options: RunOptions) -> None:
        """Record what is asked of a run from now on."""
        with self.writing():
            self.connection.execute("UPDATE runs SET options = ? WHERE key = ?", (_to_json(options.to_json()), run.key))

    def set_file(self, run_id: str, path: Path) -> None:
        """Record where the file of a run has been moved to."""
        with self.writing():
            self.connection.execute("UPDATE runs SET file = ? WHERE id = ?", (str(path), run_id))

    def problems(self, run: Run) -> list[Problem]:
        """Return what the checks found in the run's file."""
        found = self.select(
            "SELECT row, customer_id, heading, value, code, message, remedy, severity FROM problems WHERE run = ?"
            " ORDER BY rowid",
            (run.key,),
        )
        return [_read_problem(columns) for columns in found]

    def purge(self, started_before: str, keep: Sequence[str] = ()) -> int:
        """Delete the runs that began before this time (ISO 8601, UTC), with their data; return how many they were.

        The runs whose ids are in `keep` stay.
        """
        with self.translated():
            self.connection.execute("PRAGMA secure_delete = ON")  # even if there is no room for VACUUM
        with self.writing():
            keys = self.connection.execute(
                "UPDATE runs SET state = 'loading' WHERE started < ? AND state != 'loading'"
                " AND id NOT IN (SELECT value FROM json_each(?)) RETURNING key",
                (started_before, _to_json(list(keep))),
            ).fetchall()
        for (key,) in keys:
            self._delete_run(key)
        self._delete_abandoned()
        self.compact(rewrite=bool(keys) and not self._is_anything_running())
        return len(keys)

    def _is_anything_running(self) -> bool:
        """Return whether a run is being sent, which must not wait until the file has been written again."""
        return bool(self.select("SELECT 1 FROM runs WHERE state IN (?, 'loading') LIMIT 1", (RunState.RUNNING,)))


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _read_run(columns: Sequence[Any]) -> Run:
    values = list(columns)
    values[5:8] = tuple(json.loads(values[5])), RunOptions.from_json(json.loads(values[6])), json.loads(values[7])
    values[11] = RunState(values[11])
    return Run(*values)


def _read_problem(columns: Sequence[Any]) -> Problem:
    *words, severity = columns
    return replace(Problem(*words), severity=Severity(severity))
