"""Rows of a run whose customer, once it was read, turned out to have another key than the row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bulkupdate.customers.models import Problem, Status
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.matching.live_key import LiveKey
from bulkupdate.runs.run_records import PendingRow, RowOutcome, Run


@dataclass(frozen=True)
class RowKeys:
    """The cells of rows, by number, and how their keys are compared; `live_key` None: they are not."""

    live_key: LiveKey | None
    cells: Mapping[int, tuple[str, ...]]

    def find_conflict(self, row: PendingRow, live: LiveCustomer) -> Problem | None:
        """Return what is wrong if the customer has another key than the row."""
        if self.live_key is None:
            return None
        return self.live_key.find_conflict(row.number, row.customer_id, self.cells[row.number], live)

    def record_refusals(
        self, run: Run, journal: Journal, conflicts: Mapping[PendingRow, Problem], now: str
    ) -> list[RowOutcome]:
        """Record that these rows are not sent; return their outcomes.

        One that an earlier run may have sent stays `unknown`. Raises `JournalError`.
        """
        outcomes = [_make_outcome(row, problem, now) for row, problem in conflicts.items()]
        refused = {row.number: item for row, item in conflicts.items() if not row.may_be_applied}
        if outcomes and self.live_key:
            cells = {row: self.live_key.mark(self.cells[row], item.message) for row, item in refused.items()}
            journal.record_refusals(run, outcomes, list(refused.values()), cells)
        return outcomes


def read_keys(run: Run, journal: Journal, rows: Iterable[PendingRow]) -> RowKeys:
    """Return what is known of the keys of these rows. Raises `JournalError`."""
    return RowKeys(run.live_key, journal.find_cells(run, (row.number for row in rows)) if run.live_key else {})


def _make_outcome(row: PendingRow, problem: Problem, now: str) -> RowOutcome:
    message = f"{problem.column}: {problem.message}: not sent{' again' * row.may_be_applied}"
    return row.withhold(Status.INVALID, message, now)
