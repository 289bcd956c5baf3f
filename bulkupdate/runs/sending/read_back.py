"""`--verify`: read back what was answered 200; a row whose fields the service ignored has failed.

A 200 is not proof: the service is said to answer 200 while ignoring fields (`docs/api.md`, section Update).
"""

from __future__ import annotations

from bulkupdate.chunks import in_chunks
from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import Status
from bulkupdate.customers.payload import LiveCustomer, decode_body
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.live.diff import compare
from bulkupdate.runs.live.fetch import is_listed, read_live
from bulkupdate.runs.run_records import PendingRow, RowOutcome, Run
from bulkupdate.runs.sending.key_conflicts import RowKeys, read_keys
from bulkupdate.runs.sending.phases import Phase, PhaseCounter
from bulkupdate.runs.sending.sender import Watch
from bulkupdate.sellercloud.client import Client

_ROWS_AT_A_TIME = 400
_ROWS_IN_A_COMMIT = 50
"""Outcomes are recorded in parts of this size, so that little is read again after a kill, and nothing after a stop."""

_ANSWERED = 200

AGREES = "read back"
"""The message of a row whose fields were all read back as they were sent."""


def read_back(
    run: Run, journal: Journal, client: Client, clock: Clock, watch: Watch, concurrency: int, phases: PhaseCounter
) -> None:
    """Give every row that waits for its read-back its outcome, recorded as it is read.

    Raises what the client and the journal raise; what was read before that is recorded.
    """
    phases.begin(Phase.READ_BACK, journal.count_awaiting_read_back(run))

    def record(outcomes: list[RowOutcome]) -> None:
        if outcomes:
            journal.record(run, outcomes=outcomes, calls=run.calls + client.calls)
            phases.advance(Phase.READ_BACK, len(outcomes))
            watch(outcomes, client.quota.waiting)

    for rows in in_chunks(journal.awaiting_read_back(run), _ROWS_AT_A_TIME):
        by_customer = {row.customer_id: row for row in rows}
        wanted = {row.customer_id: row.fields for row in rows}
        outcomes: list[RowOutcome] = []
        keys = read_keys(run, journal, rows)
        try:
            for customer_id, live in read_live(client, wanted, concurrency, lambda _count, waiting: watch((), waiting)):
                row = by_customer[customer_id]
                confirmed = _confirm(client, row, live)
                now = format_utc(client.pipeline.service_time(clock.now()))
                outcomes.append(_compare_row(row, keys, confirmed, now))
                if len(outcomes) >= _ROWS_IN_A_COMMIT:
                    record(outcomes)
                    outcomes = []
        finally:
            record(outcomes)


def _confirm(client: Client, row: PendingRow, live: LiveCustomer | None) -> LiveCustomer | None:
    """Read a customer individually if the list answer disagrees: the list joins names and may lag behind."""
    if not is_listed(row.fields) or (live is not None and compare(decode_body(row.body), live).is_equal):
        return live
    return client.read_customer(row.customer_id)


def _compare_row(row: PendingRow, keys: RowKeys, live: LiveCustomer | None, now: str) -> RowOutcome:
    status, message = Status.FAILED, "answered 200, but cannot be read back"
    if live is not None:
        found = compare(decode_body(row.body), live)
        if conflict := keys.find_conflict(row, live):
            message = f"answered 200, but {conflict.column}: {conflict.message}"
        elif found.differing:
            message = f"answered 200, but read back unchanged: {', '.join(found.differing)}"
        else:
            status = Status.UPDATED
            message = f"the service does not show: {', '.join(found.not_shown)}" if found.not_shown else AGREES
    return RowOutcome(row.number, status, _ANSWERED, row.attempts, message, now)
