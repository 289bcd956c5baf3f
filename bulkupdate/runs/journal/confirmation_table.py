"""What the journal knows about a customer from all runs: values sent, and values found live.

Events are in the order of the journal's own sequence, which does not depend on a clock.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bulkupdate.chunks import in_chunks
from bulkupdate.runs.run_records import Run
from bulkupdate.store.journal_table import JournalTable

_EVENTS = """
SELECT r.customer_id, r.sent, r.ended, CASE WHEN r.status = 'updated' THEN 1 ELSE 0 END, 1, u.id, r.finished_at, i.body
FROM json_each(?1) AS wanted
CROSS JOIN rows AS r
JOIN runs AS u ON u.key = r.run AND u.host = ?2
JOIN inputs AS i ON i.run = r.run AND i.row = r.row
WHERE r.customer_id = wanted.value AND r.may_be_applied = 1 AND r.sent > 0
UNION ALL
SELECT s.customer_id, s.begun, s.ended, 1, 0, u.id, s.seen_at, s.body
FROM json_each(?1) AS wanted
CROSS JOIN seen AS s
JOIN runs AS u ON u.key = s.run AND u.host = ?2
WHERE s.customer_id = wanted.value
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
    """An update or a fetch of a customer, between two commits of the journal's sequence.

    `ended` is infinite while it may still be in flight. `is_confirmed`: the customer then had the values of `body`;
    otherwise it may have got them. `is_sent`: it was an update. `at` is ISO 8601 in UTC, by the service's clock.
    """

    customer_id: str
    begun: int
    ended: float
    is_confirmed: bool
    is_sent: bool
    run_id: str
    at: str
    body: str


UNMODIFIED = "{}"
"""The body of a customer that was not read, because the service said that it was not modified since."""

_DELETE_OUTDATED = f"""
DELETE FROM seen WHERE customer_id = ? AND body = '{UNMODIFIED}' AND begun >= ?
AND EXISTS (SELECT 1 FROM runs WHERE runs.key = seen.run AND runs.host = ?)
"""  # noqa: S608 - a constant

_ROWS_AT_A_TIME = 5000


class ConfirmationTable(JournalTable):
    """The values that runs have sent or found live."""

    def find_events(self, customer_ids: Iterable[str], host: str) -> list[CustomerEvent]:
        """Return the events of these customers of a host, by customer and in the order of the sequence."""
        return [_read_event(columns) for columns in self.select(_EVENTS, (json.dumps(list(customer_ids)), host))]

    def find_changes(self, customer_id: str) -> list[tuple[str, ...]]:
        """Return the changes that runs made, or may have made, to a customer, in the order of the sequence.

        Each is the run's id, the time, user name, host, file, status, body, and the previous values or None.
        """
        return self.select(_CHANGES, (customer_id,))

    def record_observed(self, run: Run, seen: Iterable[tuple[int, str, str, int]], at: str) -> None:
        """Record values that a fetch found live, at this time (ISO 8601 in UTC, by the service's clock).

        Each item is a row, a customer id, the body of those values and the journal's sequence when the fetch began; or
        `UNMODIFIED` with the sequence of the oldest confirmation that the service was asked about.
        """
        for part in in_chunks(seen, _ROWS_AT_A_TIME):
            outdated = ((customer_id, begun, run.host) for _row, customer_id, body, begun in part if body == UNMODIFIED)
            self.execute_in_parts(_DELETE_OUTDATED, outdated)
            self.execute_in_parts(
                "INSERT INTO seen (run, row, customer_id, body, seen_at, begun, ended)"
                " VALUES (?, ?, ?, ?, ?, ?, (SELECT last FROM sequence)) ON CONFLICT (run, row) DO UPDATE SET"
                " customer_id = excluded.customer_id, body = excluded.body, seen_at = excluded.seen_at,"
                " begun = excluded.begun, ended = excluded.ended",
                ((run.key, row, customer_id, body, at, begun) for row, customer_id, body, begun in part),
            )


def _read_event(columns: Sequence[Any]) -> CustomerEvent:
    customer_id, begun, ended, is_confirmed, is_sent, run_id, at, body = columns
    ended = math.inf if ended is None else ended
    return CustomerEvent(customer_id, begun, ended, bool(is_confirmed), bool(is_sent), run_id, at, body)
