"""What the journal can vouch for: the values that a customer was last confirmed to have, without asking the service.

A confirmation is an update answered 200, or a value found live when a run with `--only-changes` looked. They are merged
over the runs field by field, in the order of the journal's own sequence, never by the clock; a send that may have been
applied and was not confirmed takes the trust from the fields it touched, if it was not over before the confirmation.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import decode_body
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import Run

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
"""What happened to these customers, in the order of the journal's sequence, which no clock can disturb."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Since when (ISO 8601, UTC) a customer is known to have some values, and by which run."""

    run_id: str
    at: str


@dataclass(frozen=True, slots=True)
class _Event:
    """Something that happened between two commits of the journal's sequence; `ended` is infinite while it may go on."""

    begun: int
    ended: float
    is_confirmed: bool
    trust: Confirmation
    body: str


def find_confirmed(journal: Journal, host: str, wanted: Mapping[str, str], not_before: str) -> dict[str, Confirmation]:
    """Those of these customers whose body (by id) the journal vouches for, with the oldest confirmation it rests on.

    `not_before` (ISO 8601, UTC) is the oldest confirmation to be trusted, empty for any. Raises `JournalError`.
    """
    events = journal.select(_EVENTS, (json.dumps(list(wanted)), host))
    trusted = {}
    for customer_id, history in groupby(events, itemgetter(0)):
        trust = _find_trust(wanted[customer_id], [_read_event(columns) for columns in history])
        if trust is not None and trust.at >= not_before:
            trusted[customer_id] = trust
    return trusted


def _read_event(columns: Sequence[Any]) -> _Event:
    _, begun, ended, is_confirmed, run_id, at, body = columns
    return _Event(begun, math.inf if ended is None else ended, bool(is_confirmed), Confirmation(run_id, at), body)


def _find_trust(body: str, history: Sequence[_Event]) -> Confirmation | None:
    last = history[-1]
    if last.is_confirmed and last.body == body and all(each.ended < last.begun for each in history[:-1]):
        return last.trust  # the nightly list, sent as it was last time
    decoded = [(each, decode_body(each.body)) for each in history]
    found = []
    for name, value in decode_body(body).items():
        trust = _confirm(value, [(each, values[name]) for each, values in decoded if name in values])
        if trust is None:
            return None
        found.append(trust)
    return min(found, key=lambda trust: trust.at)


def _confirm(wanted: Value, touching: Sequence[tuple[_Event, Value]]) -> Confirmation | None:
    """Return the newest confirmation of a field's value, unless something else may have come after it."""
    confirming = [each for each, value in touching if each.is_confirmed and value == wanted]
    if not confirming:
        return None
    newest = confirming[-1]
    later = ((each, value) for each, value in touching if each.ended >= newest.begun)
    return newest.trust if all(each.is_confirmed and value == wanted for each, value in later) else None


def record_observed(journal: Journal, run: Run, seen: Iterable[tuple[int, str, str]], at: str, begun: int) -> None:
    """Keep what a reading found live.

    Each item is a row, a customer id and the body of those values. `begun` is the journal's sequence as the reading
    began. Raises `JournalError`.
    """
    rows: Iterator[tuple[int, int, str, str, str, int]] = (
        (run.key, row, customer_id, body, at, begun) for row, customer_id, body in seen
    )
    journal.change(
        "INSERT OR REPLACE INTO seen (run, row, customer_id, body, seen_at, begun, ended)"
        " VALUES (?, ?, ?, ?, ?, ?, (SELECT last FROM sequence))",
        rows,
    )
