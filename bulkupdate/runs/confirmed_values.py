"""What the journal can vouch for: the values that a customer was last confirmed to have, without asking the service.

A confirmation is an update answered 200, or a value found live when a run with `--only-changes` looked. They are merged
over the runs field by field, in the order of time; a later send of which it is not known whether it was applied
(`unknown`, `failed`, in flight) takes the trust from the fields it touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from bulkupdate.customers.models import Status
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import decode_body
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import Run

_SEEN = "seen"

_EVENTS = """
SELECT r.customer_id,
       CASE WHEN r.finished_at != '' THEN r.finished_at WHEN u.state = 'running' THEN '~' ELSE u.finished END AS at,
       u.key, r.status, u.id, i.body
FROM json_each(?1) AS wanted
CROSS JOIN rows AS r ON r.customer_id = wanted.value AND r.status IN ('updated', 'unknown', 'failed')
JOIN runs AS u ON u.key = r.run AND u.host = ?2
JOIN inputs AS i ON i.run = r.run AND i.row = r.row
UNION ALL
SELECT s.customer_id, s.seen_at, u.key, 'seen', u.id, s.body
FROM json_each(?1) AS wanted
CROSS JOIN seen AS s ON s.customer_id = wanted.value
JOIN runs AS u ON u.key = s.run AND u.host = ?2
ORDER BY 1, 2, 3
"""
"""What happened to these customers, in the order of time; what may still be in flight (`~`) comes last."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Since when (ISO 8601, UTC) a customer is known to have some values, and by which run."""

    run_id: str
    at: str


_Event = tuple[str, str, int, str, str, str]


def find_confirmed(journal: Journal, host: str, wanted: Mapping[str, str], not_before: str) -> dict[str, Confirmation]:
    """Those of these customers whose body (by id) the journal vouches for, with the oldest confirmation it rests on.

    `not_before` (ISO 8601, UTC) is the oldest confirmation to be trusted, empty for any. Raises `JournalError`.
    """
    events: list[_Event] = [
        (str(customer_id), str(at), int(key), str(status), str(run_id), str(body))
        for customer_id, at, key, status, run_id, body in journal.select(_EVENTS, (json.dumps(list(wanted)), host))
    ]
    trusted = {}
    for customer_id, history in groupby(events, itemgetter(0)):
        trust = _find_trust(wanted[customer_id], list(history))
        if trust is not None and trust.at >= not_before:
            trusted[customer_id] = trust
    return trusted


def _find_trust(body: str, history: Sequence[_Event]) -> Confirmation | None:
    _, at, _, status, run_id, last = history[-1]
    if last == body and status in (Status.UPDATED, _SEEN):  # the nightly list, sent as it was last time
        return Confirmation(run_id, at)
    confirmed: dict[str, tuple[Value, Confirmation]] = {}
    for _, at, _, status, run_id, sent in history:
        values = decode_body(sent)
        if status in (Status.UPDATED, _SEEN):
            confirmed.update((name, (value, Confirmation(run_id, at))) for name, value in values.items())
        else:
            for name in values:
                confirmed.pop(name, None)
    wanted = decode_body(body)
    if not all(name in confirmed and confirmed[name][0] == value for name, value in wanted.items()):
        return None
    return min((confirmed[name][1] for name in wanted), key=lambda trust: trust.at)


def record_observed(journal: Journal, run: Run, seen: Iterable[tuple[int, str, str]], at: str) -> None:
    """Keep what a reading found live: row, customer id, and the body of those values. Raises `JournalError`."""
    rows: Iterator[tuple[int, int, str, str, str]] = (
        (run.key, row, customer_id, body, at) for row, customer_id, body in seen
    )
    journal.change("INSERT OR REPLACE INTO seen (run, row, customer_id, body, seen_at) VALUES (?, ?, ?, ?, ?)", rows)
