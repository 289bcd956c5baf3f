"""Rows of a run that turn out, once their customer has been read, not to be sent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from bulkupdate.customers.models import Problem
from bulkupdate.runs.journal.row_table import RowTable
from bulkupdate.runs.journal.run_table import RunTable
from bulkupdate.runs.run_records import RowOutcome, Run


class RefusalTable(RunTable, RowTable):
    """Outcomes, problems and marked cells, written together."""

    def record_refusals(
        self,
        run: Run,
        outcomes: Sequence[RowOutcome],
        problems: Sequence[Problem],
        cells: Mapping[int, Sequence[str]],
    ) -> None:
        """Record in one commit the outcomes of rows that are not sent, what is wrong, and their cells with marks."""
        with self.writing():
            self._record_outcomes(run, outcomes)
            self.insert_problems(run.key, problems)
            self.connection.executemany(
                "UPDATE inputs SET original = ? WHERE run = ? AND row = ?",
                ((json.dumps(item, ensure_ascii=False), run.key, row) for row, item in cells.items()),
            )
