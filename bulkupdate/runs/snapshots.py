"""`--snapshot`: keep the live values of the fields about to be changed, before the first update of a row is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import Status
from bulkupdate.customers.payload import LiveCustomer, encode_live
from bulkupdate.runs.fetch import confirm_missing, read_live
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import PendingRow, RowOutcome, Run
from bulkupdate.runs.sender import Watch
from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.rate_limit import WaitState

_ROWS_AT_A_TIME = 400

NOT_FOUND = 404
NO_SUCH_CUSTOMER = "the service knows no customer with this id: not sent"


def encode_named(live: LiveCustomer, names: Iterable[str]) -> str:
    """Return those of these fields that the service shows, as text to be kept."""
    return encode_live({name: live[name] for name in names if name in live})


def drop_outdated_snapshots(journal: Journal, run: Run) -> None:
    """Delete the previous values of rows that were certainly not changed, so that a resumed run reads them again.

    A row that may have been changed keeps its previous values: a later read may find the new ones. A run whose
    customers were all read before it began reads only those again that another run may have changed since.

    Raises `JournalError`.
    """
    if run.options.is_read_first:
        journal.drop_snapshots_changed_elsewhere(run)
    else:
        journal.drop_unapplied_snapshots(run)


@dataclass
class SnapshotRecorder:
    """Holds rows back until their previous values are kept."""

    run: Run
    journal: Journal
    client: Client
    clock: Clock
    watch: Watch
    concurrency: int

    def snapshot_before_send(self, rows: Iterator[PendingRow]) -> Iterator[PendingRow]:
        """Yield these rows, a few hundred at a time, without those whose customer does not exist: they are `rejected`.

        Raises what the client and the journal raise.
        """
        drop_outdated_snapshots(self.journal, self.run)
        while chunk := list(islice(rows, _ROWS_AT_A_TIME)):
            missing = self._keep(chunk)
            yield from (row for row in chunk if row.customer_id not in missing)

    def _keep(self, chunk: list[PendingRow]) -> set[str]:
        """Read and keep what is not yet kept; return the customers that do not exist."""
        first, last = chunk[0].number, chunk[-1].number
        kept = self.journal.find_snapshot_rows(self.run, first, last)
        unread = [row for row in chunk if row.number not in kept]
        live = self._read(unread)
        there = [row for row in unread if row.customer_id in live]
        previous_values = ((row.number, encode_named(live[row.customer_id], row.fields)) for row in there)
        self.journal.keep_snapshots(self.run, previous_values)
        missing = [row for row in unread if row.customer_id not in live]
        if missing:
            self._reject(missing)
        return {row.customer_id for row in missing}

    def _read(self, rows: list[PendingRow]) -> dict[str, LiveCustomer]:
        wanted = {row.customer_id: row.fields for row in rows}
        found = dict(read_live(self.client, wanted, self.concurrency, self._report_waiting))
        missing = [customer_id for customer_id, live in found.items() if live is None]
        there = {customer_id: live for customer_id, live in found.items() if live is not None}
        return there | confirm_missing(self.client, missing, self.concurrency, self._report_waiting)

    def _report_waiting(self, _count: int, waiting: WaitState | None) -> None:
        self.watch((), waiting)

    def _reject(self, rows: list[PendingRow]) -> None:
        now = format_utc(self.clock.now())
        outcomes = [
            RowOutcome(
                row.number,
                Status.UNKNOWN if row.may_be_applied else Status.REJECTED,
                NOT_FOUND,
                row.attempts,
                f"{NO_SUCH_CUSTOMER} again; an earlier attempt may have been applied"
                if row.may_be_applied
                else NO_SUCH_CUSTOMER,
                now,
                row.may_be_applied,
            )
            for row in rows
        ]
        self.journal.record(self.run, outcomes=outcomes, calls=self.run.calls + self.client.calls)
        self.watch(outcomes, self.client.quota.waiting)
