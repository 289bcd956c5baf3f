"""`--verify`: read back what was answered 200; a row whose fields the service ignored has failed.

A 200 is not proof: the service is said to answer 200 while ignoring fields (`docs/api.md`, section Update).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import Status
from bulkupdate.customers.payload import LiveCustomer, decode_body
from bulkupdate.runs.diff import compare
from bulkupdate.runs.fetch import is_listed, read_live
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import PendingRow, RowOutcome, Run
from bulkupdate.runs.sender import Watch
from bulkupdate.sellercloud.client import Client

_ROWS_AT_A_TIME = 400
_ANSWERED = 200


def read_back(run: Run, journal: Journal, client: Client, clock: Clock, watch: Watch, concurrency: int) -> None:
    """Give every row that waits for its read-back its outcome. Raises what the client and the journal raise."""
    waiting = journal.awaiting_read_back(run)
    while rows := list(islice(waiting, _ROWS_AT_A_TIME)):
        by_customer = {row.customer_id: row for row in rows}
        wanted = {row.customer_id: row.fields for row in rows}
        outcomes = [
            _judge(by_customer[customer_id], _confirm(client, by_customer[customer_id], live), format_utc(clock.now()))
            for customer_id, live in read_live(client, wanted, concurrency)
        ]
        journal.record(run, outcomes=outcomes, calls=run.calls + client.calls)
        watch(outcomes, client.quota.waiting)


def _confirm(client: Client, row: PendingRow, live: LiveCustomer | None) -> LiveCustomer | None:
    """Read a customer by itself if the list answer disagrees: the list joins names and may lag behind."""
    if not is_listed(row.fields) or (live is not None and compare(decode_body(row.body), live).is_equal):
        return live
    return client.read_customer(row.customer_id)


def _judge(row: PendingRow, live: LiveCustomer | None, now: str) -> RowOutcome:
    wanted = decode_body(row.body)
    if live is None:
        return RowOutcome(
            row.number, Status.FAILED, _ANSWERED, row.attempts, "answered 200, but cannot be read back", now
        )
    found = compare(wanted, live)
    if found.differing:
        message = f"answered 200, but read back unchanged: {', '.join(found.differing)}"
        return RowOutcome(row.number, Status.FAILED, _ANSWERED, row.attempts, message, now)
    message = f"the service does not show: {', '.join(found.not_shown)}" if found.not_shown else "read back"
    return RowOutcome(row.number, Status.UPDATED, _ANSWERED, row.attempts, message, now)


def awaits_read_back(run: Run, journal: Journal) -> bool:
    """Whether any row of the run has still to be read back."""
    rows: Iterator[PendingRow] = journal.awaiting_read_back(run)
    return next(rows, None) is not None
