"""What the journal knows of a customer over all runs: values sent, and values found live.

Events are in the order of the journal's own sequence, which no clock can disturb.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bulkupdate.runs.run_records import Run
from bulkupdate.store.journal_file import JournalFile

_EVENTS = """
SELECT r.customer_id, r.sent, r.ended, r.status = 'updated', u.id, r.finished_at, i.body
FROM json_each(?1) AS wanted
CROSS JOIN rows AS r ON r.customer_id = wanted.value AND r.may_be_applied = 1 AND r.sent > 0
JOIN runs AS u ON u.key = r.run AND u.host = ?2
JOIN inputs AS i ON i.run = r.run AND i.row = r.row
UNION ALL
SELECT s.customer_id, s.begun, s.ended, 1, u.id, s.seen_at, s.body
FROM json_each(?1) AS wanted
CROSS JOIN seen AS s ON s.customer_id = wanted.value
JOIN runs AS u ON u.key = s.run AND u.host = ?2
ORDER BY 1, 2
"""

_CHANGES = """
SELECT u.id, r.finished_at, u.username, u.host, u.file, r.status, i.body, s.before
FROM rows AS r JOIN runs AS u ON u.key = r.run AND u.state != 'loading'
JOIN inputs AS i ON i.run = r.run AND i.row = r.row
LEFT JOIN snapshots AS s ON s.run = r.run AND s.row = r.row
WHERE r.customer_id = ? AND r.may_be_applied = 1 AND r.sent > 0
ORDER BY r.sent, r.run
"""


@dataclass(frozen=True, slots=True)
class CustomerEvent:
    """A send or a reading of a customer, between two commits of the journal's sequence.

    `ended` is infinite while it may not be over. `is_confirmed`: the customer then had the values of `body`; otherwise
    it may have got them. `at` is ISO 8601 in UTC.
    """

    customer_id: str
    begun: int
    ended: float
    is_confirmed: bool
    run_id: str
    at: str
    body: str


class ConfirmationTable(JournalFile):
    """The values that runs have sent or found live."""

    def find_events(self, customer_ids: Iterable[str], host: str) -> list[CustomerEvent]:
        """Return what happened to these customers of a host, by customer and in the order of the sequence."""
        return [_read_event(columns) for columns in self.select(_EVENTS, (json.dumps(list(customer_ids)), host))]

    def find_changes(self, customer_id: str) -> list[tuple[str, ...]]:
        """Return what runs have, or may have, changed of a customer, in the order of the sequence.

        Each is the run's id, the time, user name, host, file, status, body, and the previous values or None.
        """
        return self.select(_CHANGES, (customer_id,))

    def record_observed(self, run: Run, seen: Iterable[tuple[int, str, str]], at: str, begun: int) -> None:
        """Keep what a reading found live.

        Each item is a row, a customer id and the body of those values. `begun` is the journal's sequence as the
        reading began, `at` its time (ISO 8601, UTC).
        """
        self.execute_in_parts(
            "INSERT OR REPLACE INTO seen (run, row, customer_id, body, seen_at, begun, ended)"
            " VALUES (?, ?, ?, ?, ?, ?, (SELECT last FROM sequence))",
            ((run.key, row, customer_id, body, at, begun) for row, customer_id, body in seen),
        )


def _read_event(columns: Sequence[Any]) -> CustomerEvent:
    customer_id, begun, ended, is_confirmed, run_id, at, body = columns
    return CustomerEvent(customer_id, begun, math.inf if ended is None else ended, bool(is_confirmed), run_id, at, body)
