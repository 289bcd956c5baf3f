"""`--snapshot`: keep the live values of the fields about to be changed, before the first update of a row is sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from bulkupdate.clock import Clock, format_utc, parse_utc
from bulkupdate.customers.models import Status
from bulkupdate.customers.payload import LiveCustomer, encode_live
from bulkupdate.runs.fetch import confirm_missing, read_live
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.phases import Phase, PhaseCounter
from bulkupdate.runs.run_records import PendingRow, RowOutcome, Run
from bulkupdate.runs.sender import Watch
from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.rate_limit import WaitState

_ROWS_AT_A_TIME = 400
_ROWS_IN_A_COMMIT = 50
"""Previous values are kept in parts of this size, so that little is read again after a kill; after a stop, nothing."""

FRESH_SECONDS = 3600.0

NOT_FOUND = 404
NO_SUCH_CUSTOMER = "the service knows no customer with this id: not sent"


def encode_named(live: LiveCustomer, names: Iterable[str]) -> str:
    """Return those of these fields that the service shows, as text to be kept."""
    return encode_live({name: live[name] for name in names if name in live})


def drop_outdated_snapshots(journal: Journal, run: Run, now: float) -> None:
    """Delete the previous values of rows that were certainly not changed, so that a resumed run reads them again.

    A row that may have been changed keeps its previous values: a later read may find the new ones. A run whose
    customers were all read before it began reads only those again that another run may have changed since.

    A run that stopped less than `FRESH_SECONDS` before `now` keeps what it has read and not yet sent, too: in a run
    that waits for quota, as much time passes between reading and sending. Raises `JournalError`.
    """
    if run.options.is_read_first:
        journal.drop_snapshots_changed_elsewhere(run)
    elif run.finished and 0 <= now - parse_utc(run.finished) < FRESH_SECONDS:  # it was stopped a moment ago
        journal.drop_snapshots_changed_meanwhile(run)
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
    phases: PhaseCounter

    def snapshot_before_send(self, rows: Iterator[PendingRow]) -> Iterator[PendingRow]:
        """Yield these rows, a few hundred at a time, without those whose customer does not exist: they are `rejected`.

        Raises what the client and the journal raise.
        """
        drop_outdated_snapshots(self.journal, self.run, self.clock.now())
        while chunk := list(islice(rows, _ROWS_AT_A_TIME)):
            missing = self._keep(chunk)
            yield from (row for row in chunk if row.customer_id not in missing)

    def _keep(self, chunk: list[PendingRow]) -> set[str]:
        """Read and keep what is not yet kept; return the customers that do not exist."""
        numbers = [row.number for row in chunk]  # not in order: rows that were answered 401 come last
        kept = self.journal.find_snapshot_rows(self.run, min(numbers), max(numbers))
        unread: dict[str, list[PendingRow]] = {}
        for row in chunk:
            if row.number not in kept:
                unread.setdefault(row.customer_id, []).append(row)
        self.phases.advance(Phase.READ_PREVIOUS, len(chunk) - sum(map(len, unread.values())))
        wanted = {customer_id: rows[-1].fields for customer_id, rows in unread.items()}
        doubtful = self._keep_found(unread, read_live(self.client, wanted, self.concurrency, self._report))
        confirmed = confirm_missing(self.client, doubtful, self.concurrency, self._report_waiting)
        self._keep_found(unread, confirmed.items())
        missing = doubtful - confirmed.keys()
        if missing:
            self._reject([row for customer_id in missing for row in unread[customer_id]])
        return missing

    def _keep_found(
        self, unread: Mapping[str, list[PendingRow]], found: Iterable[tuple[str, LiveCustomer | None]]
    ) -> set[str]:
        """Keep the previous values as they are read, also those read before an error; return who was not found."""
        missing: set[str] = set()
        part: list[tuple[int, str]] = []
        try:
            for customer_id, live in found:
                if live is None:
                    missing.add(customer_id)
                    continue
                part += [(row.number, encode_named(live, row.fields)) for row in unread[customer_id]]
                if len(part) >= _ROWS_IN_A_COMMIT:
                    self.journal.keep_snapshots(self.run, part)
                    part = []
        finally:
            self.journal.keep_snapshots(self.run, part)
        return missing

    def _report(self, count: int, waiting: WaitState | None) -> None:
        self.phases.advance(Phase.READ_PREVIOUS, count)
        self.watch((), waiting)

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
