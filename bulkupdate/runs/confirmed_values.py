"""The values that a customer was last confirmed to have, according to the journal; the service is not asked.

A confirmation is an update answered 200, or a value that a run with `--only-changes` found live. They are merged over
the runs field by field, in the order of the journal's sequence, never by the clock. A send that may have been applied
and was not confirmed makes the fields it touched doubtful, unless it was over before the confirmation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import attrgetter

from bulkupdate.customers.models import CheckedRow
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import decode_body
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal.confirmation_table import CustomerEvent

_ROWS_AT_A_TIME = 5000


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Since when (ISO 8601, UTC) a customer is known to have some values, and by which run."""

    run_id: str
    at: str

    def describe(self, *, is_asked: bool) -> str:
        """Return why a row with these values is not sent; `is_asked`: the service said who was modified since."""
        asked = "the service says that it was not modified since" if is_asked else "the service was not asked"
        return f"{asked}: the journal says that run {self.run_id} confirmed these values at {self.at}"


def find_confirmed_rows(
    journal: Journal, host: str, rows: Iterable[CheckedRow], not_before: str
) -> Iterator[tuple[int, str, Confirmation]]:
    """Yield number and customer of the rows whose values are confirmed, with the confirmation; see `find_confirmed`."""
    remaining = (row for row in rows if row.body is not None)
    while chunk := list(islice(remaining, _ROWS_AT_A_TIME)):
        wanted = {row.customer_id: row.body for row in chunk if row.body is not None}
        confirmed = find_confirmed(journal, host, wanted, not_before)
        for row in chunk:
            if by := confirmed.get(row.customer_id):
                yield row.number, row.customer_id, by


def find_confirmed(journal: Journal, host: str, wanted: Mapping[str, str], not_before: str) -> dict[str, Confirmation]:
    """Return those of these customers whose body (by id) is confirmed, with the oldest confirmation needed for it.

    `not_before` (ISO 8601, UTC) is the oldest confirmation that counts, empty for any. Raises `JournalError`.
    """
    events = journal.find_events(wanted, host)
    confirmed = {}
    for customer_id, history in groupby(events, attrgetter("customer_id")):
        confirmation = _confirm_body(wanted[customer_id], list(history))
        if confirmation is not None and confirmation.at >= not_before:
            confirmed[customer_id] = confirmation
    return confirmed


def _confirm_body(body: str, history: Sequence[CustomerEvent]) -> Confirmation | None:
    last = history[-1]
    if last.is_confirmed and last.body == body and all(each.ended < last.begun for each in history[:-1]):
        return _confirm_by(last)  # the nightly list, sent as it was last time
    decoded = [(each, decode_body(each.body)) for each in history]
    found = []
    for name, value in decode_body(body).items():
        confirmation = _confirm_field(value, [(each, values[name]) for each, values in decoded if name in values])
        if confirmation is None:
            return None
        found.append(confirmation)
    return min(found, key=lambda confirmation: confirmation.at)


def _confirm_field(wanted: Value, touching: Sequence[tuple[CustomerEvent, Value]]) -> Confirmation | None:
    """Return the newest confirmation of a field's value, unless something else may have come after it."""
    confirming = [each for each, value in touching if each.is_confirmed and value == wanted]
    if not confirming:
        return None
    newest = confirming[-1]
    later = ((each, value) for each, value in touching if each.ended >= newest.begun)
    return _confirm_by(newest) if all(each.is_confirmed and value == wanted for each, value in later) else None


def _confirm_by(event: CustomerEvent) -> Confirmation:
    return Confirmation(event.run_id, event.at)
