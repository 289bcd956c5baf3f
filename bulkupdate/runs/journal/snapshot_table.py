"""The previous values of a run's rows, kept for `undo`."""

from __future__ import annotations

from collections.abc import Iterable

from bulkupdate.runs.run_records import Run
from bulkupdate.store.journal_table import JournalTable

_DROP_UNAPPLIED = """
DELETE FROM snapshots WHERE run = ?1 AND row IN (SELECT row FROM rows WHERE run = ?1 AND may_be_applied = 0)
"""
_DROP_CHANGED_ELSEWHERE = """
DELETE FROM snapshots WHERE run = ?1 AND row IN (
    SELECT mine.row FROM rows AS mine
    JOIN rows AS other ON other.customer_id = mine.customer_id AND other.may_be_applied = 1 AND other.run != mine.run
    WHERE mine.run = ?1 AND mine.may_be_applied = 0
    AND (other.ended IS NULL OR other.ended > (SELECT min(sent) FROM rows WHERE run = ?1 AND sent > 0))
)
"""
_DROP_CHANGED_MEANWHILE = """
DELETE FROM snapshots WHERE run = ?1 AND row IN (
    SELECT mine.row FROM rows AS mine
    JOIN rows AS other ON other.customer_id = mine.customer_id AND other.may_be_applied = 1 AND other.run != mine.run
    WHERE mine.run = ?1 AND mine.may_be_applied = 0
)
"""
_TOUCHED = """
SELECT rows.customer_id, inputs.body, snapshots.before
FROM snapshots JOIN rows USING (run, row) JOIN inputs USING (run, row)
WHERE run = ? AND rows.sent > 0 AND rows.may_be_applied = 1 ORDER BY row
"""


class SnapshotTable(JournalTable):
    """The previous values, each the text of `payload.encode_live`."""

    def keep_snapshots(self, run: Run, previous_values: Iterable[tuple[int, str]]) -> None:
        """Keep the previous values of these rows."""
        self.execute_in_parts(
            "INSERT INTO snapshots (run, row, before) VALUES (?, ?, ?)"
            " ON CONFLICT (run, row) DO UPDATE SET before = excluded.before",
            ((run.key, row, before) for row, before in previous_values),
        )

    def drop_unapplied_snapshots(self, run: Run) -> None:
        """Delete the previous values of the rows that were certainly not changed."""
        self.execute_in_parts(_DROP_UNAPPLIED, [(run.key,)])

    def drop_snapshots_changed_elsewhere(self, run: Run) -> None:
        """Delete the values of rows that another run, but not this one, may have changed since this one began."""
        self.execute_in_parts(_DROP_CHANGED_ELSEWHERE, [(run.key,)])

    def drop_snapshots_changed_meanwhile(self, run: Run) -> None:
        """Delete the values of rows that this run did not change, if another run may have changed the customer.

        Whether that was before or after the fetch is not known: the clock may have been set back.
        """
        self.execute_in_parts(_DROP_CHANGED_MEANWHILE, [(run.key,)])

    def has_snapshots(self, run: Run) -> bool:
        """Return whether this run has previous values."""
        return bool(self.select("SELECT 1 FROM snapshots WHERE run = ? LIMIT 1", (run.key,)))

    def find_snapshot_rows(self, run: Run, first: int, last: int) -> set[int]:
        """Return which of the rows from `first` to `last` have previous values."""
        query = "SELECT row FROM snapshots WHERE run = ? AND row BETWEEN ? AND ?"
        return {row for (row,) in self.select(query, (run.key, first, last))}

    def list_touched(self, run: Run) -> list[tuple[str, str, str]]:
        """Return customer id, body sent and previous values of the rows that were, or may have been, changed."""
        return [(customer_id, body, before) for customer_id, body, before in self.select(_TOUCHED, (run.key,))]
