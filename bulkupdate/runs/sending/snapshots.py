"""Read the live values of a row before its first update is sent.

`--snapshot` keeps them, and the write policy leaves out fields that are only written if they are empty, but are not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bulkupdate.chunks import in_chunks
from bulkupdate.clock import Clock, format_utc, parse_utc
from bulkupdate.customers.models import Problem, Status
from bulkupdate.customers.payload import LiveCustomer, encode_live
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.live.fetch import confirm_missing, read_live
from bulkupdate.runs.run_records import PendingRow, RowOutcome, Run
from bulkupdate.runs.sending.kept_fields import protect_row
from bulkupdate.runs.sending.key_conflicts import RowKeys, read_keys
from bulkupdate.runs.sending.phases import Phase, PhaseCounter
from bulkupdate.runs.sending.sender import Watch
from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.rate_limit import WaitState

_ROWS_AT_A_TIME = 400
_ROWS_IN_A_COMMIT = 50
"""Values are stored in parts of this size, so that little is read again after a kill, and nothing after a stop."""

FRESH_SECONDS = 3600.0

NOT_FOUND = 404
NO_SUCH_CUSTOMER = "the service knows no customer with this id: not sent"


def encode_named(live: LiveCustomer, names: Iterable[str]) -> str:
    """Return, of the named fields, those that the service shows, as text for the journal."""
    return encode_live({name: live[name] for name in names if name in live})


def drop_outdated_snapshots(journal: Journal, run: Run, now: float) -> None:
    """Delete the previous values of rows that were certainly not changed, so that a resumed run reads them again.

    A row that may have been changed keeps its previous values, as a later fetch may find the new ones. A run whose
    customers were all read before it began reads again only those that another run may have changed since.

    A run that stopped less than `FRESH_SECONDS` before `now` also keeps what it has read but not sent: in a run that
    waits for quota, just as much time passes between reading and sending. Raises `JournalError`.
    """
    if run.options.is_read_first:
        journal.drop_snapshots_changed_elsewhere(run)
    elif run.finished and 0 <= now - parse_utc(run.finished) < FRESH_SECONDS:  # it has just been stopped
        journal.drop_snapshots_changed_meanwhile(run)
    else:
        journal.drop_unapplied_snapshots(run)


def drop_kept_snapshots(journal: Journal, run: Run) -> None:
    """Delete the previous values of rows that were certainly not changed once a continued run has stopped again.

    They may have been read long before: `drop_outdated_snapshots` only knows when the run stopped last, and attempts
    that do not even sign in would make them seem fresh for ever. Raises `JournalError`.
    """
    if run.options.snapshot and not run.options.is_read_first:
        journal.drop_unapplied_snapshots(run)


@dataclass
class _Found:
    """What was found about some rows; `kept` have previous values already.

    Reading began after the journal's sequence `begun`, at the time `started`, in seconds since 1970 by our clock.
    """

    begun: int
    started: float
    kept: Collection[int]
    missing: set[str] = field(default_factory=set)
    conflicts: dict[PendingRow, Problem] = field(default_factory=dict)
    narrowed: dict[int, PendingRow] = field(default_factory=dict)
    outcomes: list[RowOutcome] = field(default_factory=list)


@dataclass
class FirstReader:
    """Holds rows back until they have been read, as far as the run asks for it."""

    run: Run
    journal: Journal
    client: Client
    clock: Clock
    watch: Watch
    concurrency: int
    phases: PhaseCounter
    rating_format: str
    _read: set[int] = field(default_factory=set)

    def read_ahead(self, rows: Iterable[PendingRow]) -> int | None:
        """Read these rows, which are sent soon; return how many need not be sent. None: all were read before.

        Raises as `read_before_send` does.
        """
        unread = [row for row in rows if row.number not in self._read]
        unsent, _ = self._keep(unread)
        self._read.update(row.number for row in unread)
        return len(unsent) if unread else None

    def read_before_send(self, rows: Iterator[PendingRow]) -> Iterator[PendingRow]:
        """Yield these rows with what is to be sent, a few hundred at a time; those that are not sent get their outcome.

        A row whose customer does not exist is `rejected`, one whose customer has another key `invalid`, one of which
        the write policy leaves nothing `unchanged`. Raises what the client and the journal raise.
        """
        for chunk in in_chunks(rows, _ROWS_AT_A_TIME):
            unsent, narrowed = self._keep([row for row in chunk if row.number not in self._read])
            yield from (narrowed.get(row.number, row) for row in chunk if row.number not in unsent)

    def _keep(self, chunk: list[PendingRow]) -> tuple[set[int], dict[int, PendingRow]]:
        """Read and keep what is not yet kept; return the rows that are not sent, and those that are sent in part."""
        if not chunk:
            return set(), {}
        numbers = [row.number for row in chunk]  # not sorted: rows that were answered 401 come last
        kept = self.journal.find_snapshot_rows(self.run, min(numbers), max(numbers))
        found = _Found(self.journal.sequence(), self.clock.now(), kept)
        unread: dict[str, list[PendingRow]] = {}
        for row in chunk:
            if self._find_wanted(row, kept):
                unread.setdefault(row.customer_id, []).append(row)
        self.phases.advance(Phase.READ_PREVIOUS, len(chunk) - sum(map(len, unread.values())))
        wanted = {customer_id: self._find_wanted(rows[-1], kept) for customer_id, rows in unread.items()}
        keys = read_keys(self.run, self.journal, (row for rows in unread.values() for row in rows))
        self._keep_found(unread, keys, read_live(self.client, wanted, self.concurrency, self._report), found)
        confirmed = confirm_missing(self.client, found.missing, self.concurrency, self._report_waiting)
        self._keep_found(unread, keys, confirmed.items(), found)
        missing = [row for customer_id in found.missing - confirmed.keys() for row in unread[customer_id]]
        if missing:
            self._reject(missing)
        found.outcomes += keys.record_refusals(self.run, self.journal, found.conflicts, self._stamp(self.clock.now()))
        self.watch(found.outcomes, self.client.quota.waiting)
        return {row.number for row in missing} | {outcome.row for outcome in found.outcomes}, found.narrowed

    def _find_wanted(self, row: PendingRow, kept: Collection[int]) -> Collection[str]:
        """Return the fields to be read; of a row that may have been applied, others may have filled some since."""
        options = self.run.options
        if options.snapshot and row.number not in kept:
            return row.fields
        is_decided = row.number in kept and not row.may_be_applied
        return () if is_decided else options.guarded.intersection(row.fields)

    def _keep_found(
        self,
        unread: Mapping[str, list[PendingRow]],
        keys: RowKeys,
        answers: Iterable[tuple[str, LiveCustomer | None]],
        found: _Found,
    ) -> None:
        """Keep what was read as it arrives, also what was read before an error."""
        part: list[tuple[PendingRow, LiveCustomer]] = []
        try:
            for customer_id, live in answers:
                if live is None:
                    found.missing.add(customer_id)
                    continue
                for row in unread[customer_id]:
                    if conflict := keys.find_conflict(row, live):
                        found.conflicts[row] = conflict
                    else:
                        part.append((row, live))
                if len(part) >= _ROWS_IN_A_COMMIT:
                    self._keep_part(part, found)
                    part = []
        finally:
            self._keep_part(part, found)

    def _keep_part(self, part: Sequence[tuple[PendingRow, LiveCustomer]], found: _Found) -> None:
        """Apply the write policy, and only then keep the previous values: a row that has them is not read again."""
        now = self._stamp(self.clock.now())
        guarded = self.run.options.guarded
        rows = [protect_row(row, live, guarded, self.rating_format, now) for row, live in part] if guarded else []
        narrowed = {each.row.number: each.row for each in rows if each.is_narrowed}
        outcomes = [each.outcome for each in rows if each.outcome]
        if outcomes or narrowed:
            self.journal.narrow_rows(self.run, narrowed.values())
            seen = (
                (each.row.number, each.row.customer_id, encode_live(each.kept), found.begun)
                for each in rows
                if each.kept
            )
            self.journal.record_observed(self.run, seen, self._stamp(found.started))
            self.journal.record(self.run, outcomes=outcomes, calls=self.run.calls + self.client.calls)
        found.narrowed |= narrowed
        found.outcomes += outcomes
        if self.run.options.snapshot:
            sent = ((narrowed.get(row.number, row), live) for row, live in part if row.number not in found.kept)
            self.journal.keep_snapshots(self.run, ((row.number, encode_named(live, row.fields)) for row, live in sent))

    def _stamp(self, at: float) -> str:
        """Return a time of our clock as the service's clock showed it, for the journal."""
        return format_utc(self.client.pipeline.service_time(at))

    def _report(self, count: int, waiting: WaitState | None) -> None:
        self.phases.advance(Phase.READ_PREVIOUS, count)
        self.watch((), waiting)

    def _report_waiting(self, _count: int, waiting: WaitState | None) -> None:
        self.watch((), waiting)

    def _reject(self, rows: list[PendingRow]) -> None:
        now = self._stamp(self.clock.now())
        again = " again; an earlier attempt may have been applied"
        outcomes = [
            row.withhold(Status.REJECTED, f"{NO_SUCH_CUSTOMER}{again * row.may_be_applied}", now, NOT_FOUND)
            for row in rows
        ]
        self.journal.record(self.run, outcomes=outcomes, calls=self.run.calls + self.client.calls)
        self.watch(outcomes, self.client.quota.waiting)
