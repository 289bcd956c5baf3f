"""The runs of the journal, and the checked contents of their files."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import CheckedRow, Correction, Problem, Status
from bulkupdate.errors import JournalError, UsageError
from bulkupdate.runs.journal.check_table import CheckTable
from bulkupdate.runs.run_records import NewRun, Run, RunOptions, RunState
from bulkupdate.store.journal_home import RESUME_IT
from bulkupdate.store.place import Place, open_journal_home
from bulkupdate.text import encode_texts

_RUN = """SELECT id, file, sha256, host, username, headings, options, settings, results_path, parent, key, state,
started, finished, stopped_by, calls, (SELECT count(*) FROM rows WHERE rows.run = runs.key),
machine, stop_asked FROM runs
WHERE state != 'loading'"""
"""A run that is still being written does not count: it has not begun, and none of its rows were sent."""

_LOADING = "loading"

_ABANDONED_AFTER_SECONDS = 86_400.0
"""A run that is still being written after this time was left behind by a killed process."""

_CHILDREN = ("snapshots", "seen", "problems", "corrections", "rows", "inputs")


@dataclass(frozen=True)
class RunHead:
    """What a list of runs shows of each, without counting its rows."""

    id: str
    file: str
    host: str
    username: str


class RunTable(CheckTable):
    """The runs as a whole."""

    def __init__(self, place: Place, clock: Clock, *, checks_pages: bool = True, is_patient: bool = True) -> None:
        super().__init__(open_journal_home(place, checks_pages=checks_pages, is_patient=is_patient))
        self._clock = clock

    def add_run(
        self,
        new: NewRun,
        rows: Iterable[CheckedRow],
        problems: Iterable[Problem] = (),
        corrections: Iterable[Correction] = (),
    ) -> Run:
        """Record a run with all its rows before anything is sent.

        They are written a few thousand at a time, so that other runs can continue meanwhile; the run counts only once
        it is complete.
        """
        try:
            self._delete_abandoned(new.id)
            key = self._insert_run(new)
            self.write_in_parts(rows, lambda part: self._add_rows(key, part))
            self.write_in_parts(problems, lambda part: self.insert_problems(key, part))
            self.add_corrections(key, corrections)
            with self.writing():
                self.connection.execute("UPDATE runs SET state = ? WHERE key = ?", (RunState.STOPPED, key))
        except JournalError as error:  # there is no run to resume yet
            error.remedy = (error.remedy or "").replace(RESUME_IT, "run the same command again")
            raise
        return self.find_run(new.id)

    def _insert_run(self, new: NewRun) -> int:
        with self.writing():
            key = self.connection.execute(
                "INSERT INTO runs (id, file, sha256, host, username, headings, options, settings, results_path, parent,"
                " state, started, machine, begun)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT last FROM sequence)) RETURNING key",
                (
                    new.id, new.file, new.sha256, new.host, new.username, _to_json(new.headings),
                    _to_json(new.options.to_json()), _to_json(new.settings), new.results_path, new.parent, _LOADING,
                    format_utc(self._clock.now()), socket.gethostname(),
                ),
            ).fetchone()[0]  # fmt: skip
        return int(key)

    def _add_rows(self, key: int, rows: Sequence[CheckedRow]) -> None:
        self.connection.executemany(
            "INSERT INTO inputs VALUES (?, ?, ?, ?, ?)",
            ((key, row.number, row.body, ",".join(row.fields), encode_texts(row.original)) for row in rows),
        )
        now = format_utc(self._clock.now())
        self.connection.executemany(
            "INSERT INTO rows (run, row, customer_id, status, message, finished_at, may_be_applied)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (key, row.number, row.customer_id, row.status, row.reason,
                 "" if row.status is Status.NOT_ATTEMPTED else now, int(row.may_be_applied))
                for row in rows
            ),
        )  # fmt: skip

    def _delete_abandoned(self, again: str = "") -> None:
        """Delete runs that killed processes left half written, that with the id `again` however young it is.

        Only the next night uses an id again, for the file of a night that was killed.
        """
        before = format_utc(self._clock.now() - _ABANDONED_AFTER_SECONDS)
        query = "SELECT key FROM runs WHERE state = 'loading' AND (started < ? OR id = ?)"
        for (key,) in self.select(query, (before, again)):
            self._delete_run(key)

    def _delete_run(self, key: int) -> None:
        """Delete a run that no longer counts, a few thousand rows at a time."""
        for table in _CHILDREN:
            self.delete_in_parts(table, key)
        with self.writing():
            self.connection.execute("DELETE FROM runs WHERE key = ?", (key,))

    def find_run(self, run_id: str | None = None) -> Run:
        """Return the run with this id, None: the newest one. Raises `UsageError` if there is none."""
        if run_id is not None:
            found = self._select_runs("AND id = ?", run_id)
        else:
            found = self._select_runs("ORDER BY key DESC LIMIT 1")
        if found:
            return found[0]
        what = f"run {run_id}" if run_id else "runs"
        remedy = (
            "`bulkupdate runs` lists all." if self.count_states() else "`bulkupdate run FILE` starts the first one."
        )
        raise UsageError(f"The journal {self.home.name} has no {what}.", remedy=remedy)

    def runs(self) -> list[Run]:
        """Return all runs, newest first."""
        return self._select_runs("ORDER BY key DESC")

    def unfinished_runs(self) -> list[Run]:
        """Return the runs that are recorded as running or stopped, newest first."""
        return self._select_runs("AND state != ? ORDER BY key DESC", RunState.FINISHED)

    def child_runs(self, parent: Run) -> list[Run]:
        """Return the runs that retry or undo this one, newest first."""
        return self._select_runs("AND parent = ? ORDER BY key DESC", parent.id)

    def is_being_written(self, run_id: str) -> bool:
        """Return whether a run with this id is only partly written."""
        return bool(self.select("SELECT 1 FROM runs WHERE id = ? AND state = ?", (run_id, _LOADING)))

    def count_states(self) -> dict[RunState, int]:
        """Return the number of runs by their recorded state."""
        query = "SELECT state, count(*) FROM runs WHERE state != 'loading' GROUP BY state"
        return {RunState(state): count for state, count in self.select(query)}

    def run_heads(self) -> list[RunHead]:
        """Return the heads of all runs, newest first."""
        query = "SELECT id, file, host, username FROM runs WHERE state != 'loading' ORDER BY key DESC"
        return [RunHead(*columns) for columns in self.select(query)]

    def runs_of_file(self, sha256: str, host: str) -> list[Run]:
        """Return the runs of a file with this content to this host, newest first."""
        return self._select_runs("AND sha256 = ? AND host = ? ORDER BY key DESC", sha256, host)

    def _select_runs(self, condition: str, *values: str) -> list[Run]:
        return [_read_run(columns) for columns in self.select(f"{_RUN} {condition}", values)]

    def set_state(
        self, run: Run, state: RunState, *, stopped_by: str = "", calls: int | None = None, ended: str | None = None
    ) -> None:
        """Record the state of a run.

        `calls` None leaves the count unchanged; `ended` None means now, or not yet if the run is running. A run that is
        running is this machine's, and what was asked of it before is settled.
        """
        if ended is None:
            ended = "" if state is RunState.RUNNING else format_utc(self._clock.now())
        machine = socket.gethostname() if state is RunState.RUNNING else None
        self.execute(
            "UPDATE runs SET state = ?, finished = ?, stopped_by = ?, calls = coalesce(?, calls),"
            " machine = coalesce(?, machine), stop_asked = '' WHERE key = ?",
            state, ended, stopped_by, calls, machine, run.key,
        )  # fmt: skip

    def ask_to_stop(self, run: Run, by: str) -> None:
        """Ask the process that sends a run, on whichever machine, to stop it; `by` says who asks."""
        self.execute("UPDATE runs SET stop_asked = ? WHERE key = ? AND state = ?", by, run.key, RunState.RUNNING)

    def read_stop_request(self, run: Run) -> str:
        """Return who has asked a run to stop; empty if nobody has. A lost connection is not restored."""
        with self.home.translated():
            found = self.connection.execute("SELECT stop_asked FROM runs WHERE key = ?", (run.key,)).fetchone()
        return str(found[0]) if found else ""

    def set_results_path(self, run: Run, path: Path) -> None:
        """Record where the results of a run are from now on."""
        self.execute("UPDATE runs SET results_path = ? WHERE key = ?", str(path), run.key)

    def set_options(self, run: Run, options: RunOptions) -> None:
        """Record the options of a run from now on."""
        self.execute("UPDATE runs SET options = ? WHERE key = ?", _to_json(options.to_json()), run.key)

    def set_file(self, run_id: str, path: Path) -> None:
        """Record where the file of a run has been moved to."""
        self.execute("UPDATE runs SET file = ? WHERE id = ?", str(path), run_id)

    def purge(self, started_before: str, keep: Sequence[str] = ()) -> int:
        """Delete the runs that began before this time (ISO 8601, UTC), with their data; return their number.

        Runs whose ids are in `keep` stay.
        """
        self.home.overwrite_deleted()
        with self.writing():
            keys = self.connection.execute(
                "UPDATE runs SET state = 'loading' WHERE started < ? AND state != 'loading'"
                " AND id NOT IN (SELECT value FROM json_each(?)) RETURNING key",
                (started_before, _to_json(list(keep))),
            ).fetchall()
        for (key,) in keys:
            self._delete_run(key)
        self._delete_abandoned()
        self.home.compact(rewrite=bool(keys) and not self._is_anything_running())
        return len(keys)

    def delete_run(self, run: Run) -> None:
        """Delete one run with its data; nothing of it stays in the journal's file or its log."""
        self.home.overwrite_deleted()
        self.execute("UPDATE runs SET state = 'loading' WHERE key = ?", run.key)
        self._delete_run(run.key)
        self.home.compact(rewrite=False)

    def _is_anything_running(self) -> bool:
        """Return whether a run is being sent, which must not wait for the file to be written again."""
        return bool(self.select("SELECT 1 FROM runs WHERE state IN (?, 'loading') LIMIT 1", (RunState.RUNNING,)))


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _read_run(columns: Sequence[Any]) -> Run:
    values = list(columns)
    values[5:8] = tuple(json.loads(values[5])), RunOptions.from_json(json.loads(values[6])), json.loads(values[7])
    values[11] = RunState(values[11])
    return Run(*values)
