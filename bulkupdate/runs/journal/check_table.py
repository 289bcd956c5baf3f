"""What the checks found in a run's file, and the cells that were replaced in it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple

from bulkupdate.customers.models import PROBLEM_COLUMNS, Correction, Problem, Status
from bulkupdate.runs.run_records import Run
from bulkupdate.store.journal_table import JournalTable


class CheckTable(JournalTable):
    """Problems and corrections, by run."""

    def insert_problems(self, key: int, problems: Sequence[Problem]) -> None:
        """Add problems of the run with this key, within a transaction of the caller."""
        self.connection.executemany(
            "INSERT INTO problems (run, row, customer_id, heading, value, code, message, remedy, severity)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            ((key, *PROBLEM_COLUMNS(problem)) for problem in problems),
        )

    def add_corrections(self, key: int, corrections: Iterable[Correction]) -> None:
        """Add the corrections of the run with this key."""
        self.execute_in_parts(
            "INSERT INTO corrections (run, row, heading, before, after) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            ((key, *astuple(correction)) for correction in corrections),
        )

    def problems(self, run: Run) -> list[Problem]:
        """Return the problems that the checks found in the run's file."""
        found = self.select(
            "SELECT row, customer_id, heading, value, code, message, remedy, severity FROM problems WHERE run = ?"
            " ORDER BY rowid",
            (run.key,),
        )
        return list(map(Problem.from_columns, found))

    def corrections(self, run: Run, statuses: Sequence[Status] = tuple(Status)) -> list[Correction]:
        """Return the cells of the run's file that were replaced, of rows with these statuses."""
        found = self.select(
            "SELECT c.row, c.heading, c.before, c.after FROM corrections AS c JOIN rows AS r USING (run, row)"
            " WHERE run = ? AND r.status IN (SELECT value FROM json_each(?)) ORDER BY c.row, c.heading",
            (run.key, json.dumps(list(statuses))),
        )
        return [Correction(*columns) for columns in found]

    def count_corrections(self, run: Run) -> int:
        """Return how many cells of the run's file were replaced."""
        return int(self.select("SELECT count(*) FROM corrections WHERE run = ?", (run.key,))[0][0])
