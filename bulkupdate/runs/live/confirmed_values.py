"""The values that customers were last confirmed to have, according to the journal; makes no requests.

A confirmation is an update answered 200, or a value that a run with `--only-changes` found live. They are merged over
the runs field by field, in the order of the journal's sequence, never by the clock. An update that may have been
applied and was not confirmed makes its fields doubtful, unless it ended before the confirmation.

Whenever the service says that a customer was not modified, that is recorded, so that later it is only asked about the
time since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from bulkupdate.chunks import in_chunks
from bulkupdate.clock import parse_utc
from bulkupdate.customers.models import CheckedRow
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import decode_body
from bulkupdate.customers.write_policy import EMPTY
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal.confirmation_table import UNMODIFIED, CustomerEvent

_ROWS_AT_A_TIME = 5000
_TOGETHER_SECONDS = 600.0
"""A customer that a run updates so soon after it has read it was not modified by others in between."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """When some values of a customer were confirmed, by which run, and since which sequence of the journal.

    `known_at` is the last time at which they are known to have been live; `is_sent`: by an update, not by reading.
    Times are ISO 8601 in UTC.
    """

    run_id: str
    at: str
    begun: int
    known_at: str
    is_sent: bool

    @property
    def key(self) -> tuple[str, str]:
        """What `describe` names."""
        return self.run_id, self.at

    def describe(self, *, is_asked: bool) -> str:
        """Return why a row with these values is not sent; `is_asked`: the service said what was modified."""
        asked = "the service says that it was not modified since" if is_asked else "the service was not asked"
        return f"{asked}: the journal says that run {self.run_id} confirmed these values at {self.at}"


ConfirmedRow = tuple[int, str, Confirmation]
"""The number of a row, its customer, and the confirmation of its values."""


def find_confirmed_rows(
    journal: Journal, host: str, rows: Iterable[CheckedRow], not_before: str, guarded: Collection[str] = ()
) -> Iterator[ConfirmedRow]:
    """Yield number and customer of the rows whose values are confirmed, with the confirmation; see `find_confirmed`."""
    for chunk in in_chunks((row for row in rows if row.body is not None), _ROWS_AT_A_TIME):
        wanted = {row.customer_id: row.body for row in chunk if row.body is not None}
        confirmed = find_confirmed(journal, host, wanted, not_before, guarded)
        for row in chunk:
            if by := confirmed.get(row.customer_id):
                yield row.number, row.customer_id, by


def find_confirmed(
    journal: Journal, host: str, wanted: Mapping[str, str], not_before: str, guarded: Collection[str] = ()
) -> dict[str, Confirmation]:
    """Return the customers whose body in `wanted` (by id) is confirmed, with the oldest confirmation it depends on.

    `not_before` (ISO 8601, UTC) is the oldest confirmation that counts, empty for any. `guarded` fields are as wanted
    if they have any value. Raises `JournalError`.
    """
    events = journal.find_events(wanted, host)
    confirmed = {}
    for customer_id, history in groupby(events, attrgetter("customer_id")):
        confirmation = _confirm_body(wanted[customer_id], list(history), guarded)
        if confirmation is not None and confirmation.at >= not_before:
            confirmed[customer_id] = confirmation
    return confirmed


def _confirm_body(body: str, history: Sequence[CustomerEvent], guarded: Collection[str]) -> Confirmation | None:
    events = [event for event in history if event.body != UNMODIFIED]
    found = _find_confirming(body, events, guarded) if events else None
    if found is None:
        return None
    checks = [event for event in history if event.body == UNMODIFIED]
    oldest = min(found, key=attrgetter("at"))
    known_at, is_sent, run_id = min(_find_last_known(event, checks) for event in found)
    for event in events:
        is_update = event.is_sent and event.is_confirmed and event.run_id == run_id
        if is_update and event.at >= known_at and _is_together(known_at, event.at):
            known_at, is_sent = event.at, True
    return Confirmation(oldest.run_id, oldest.at, min(event.begun for event in found), known_at, is_sent)


def _find_confirming(
    body: str, events: Sequence[CustomerEvent], guarded: Collection[str]
) -> list[CustomerEvent] | None:
    """Return the confirmations of all values; None if one is not confirmed."""
    last = events[-1]
    if last.is_confirmed and last.body == body and all(event.ended < last.begun for event in events[:-1]):
        return [last]  # the nightly list, sent as it was last time
    decoded = [(event, decode_body(event.body)) for event in events]
    found = []
    for name, value in decode_body(body).items():
        touching = [(event, values[name]) for event, values in decoded if name in values]
        event = _confirm_field(value, touching, is_guarded=name in guarded)
        if event is None:
            return None
        found.append(event)
    return found


def _find_last_known(event: CustomerEvent, checks: Sequence[CustomerEvent]) -> tuple[str, bool, str]:
    """Return when the values of a confirmation were last known to be live, whether by an update, and the run."""
    later = (check for check in checks if check.begun <= event.begun and event.ended <= check.ended)
    return max((each.at, each.is_sent, each.run_id) for each in (event, *later))


def _is_together(first: str, second: str) -> bool:
    return parse_utc(second) - parse_utc(first) <= _TOGETHER_SECONDS


def _confirm_field(
    wanted: Value, touching: Sequence[tuple[CustomerEvent, Value]], *, is_guarded: bool
) -> CustomerEvent | None:
    """Return the newest confirmation of a field's value, unless another update may have followed it."""

    def confirms(event: CustomerEvent, value: Value) -> bool:
        return event.is_confirmed and (value == wanted or (is_guarded and value not in EMPTY))

    newest = next((event for event, value in reversed(touching) if confirms(event, value)), None)
    if newest is None:
        return None
    later = ((event, value) for event, value in touching if event.ended >= newest.begun)
    return newest if all(confirms(event, value) for event, value in later) else None
