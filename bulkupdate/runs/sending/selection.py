"""Select the rows that a run has to send: those whose values are not live already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from bulkupdate.clock import format_utc
from bulkupdate.customers.models import Change, CheckedRow, Problem, Status
from bulkupdate.customers.payload import decode_body, encode_live, filter_body
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal.confirmation_table import UNMODIFIED
from bulkupdate.runs.live.confirmed_values import ConfirmedRow, find_confirmed_rows
from bulkupdate.runs.live.diff import LookedUp, count_read_requests, describe_changes, look_up
from bulkupdate.runs.live.fetch import WatchReading, ignore_progress
from bulkupdate.runs.live.live_findings import LiveFindings
from bulkupdate.runs.live.modified_customers import find_modified
from bulkupdate.runs.loading.row_source import RowSource
from bulkupdate.runs.run_records import RowOutcome, RunOptions
from bulkupdate.runs.sending.row_decision import RowDecision, decide, narrow
from bulkupdate.runs.sending.snapshots import NOT_FOUND, encode_named

_DAY_SECONDS = 86_400


@dataclass
class Selection:
    """The rows of a file as they will be sent.

    `calls` is the number of requests used to select, `read_at` when that was done (ISO 8601, UTC). `decisions` and
    `previous_values` (the live ones, kept for `undo`) are by row number. `begun` is the journal's sequence when reading
    began. `unmodified` are the rows of whose customers the service says that nobody has modified them, each with the
    sequence of their oldest confirmation; `modified` is how many confirmed rows others may have modified, None: the
    service was not asked. `kept_values` are those that the write policy keeps. `found_problems` are those of rows whose
    customer does not exist or has another key.
    """

    source: RowSource
    rating_format: str
    read_at: str
    decisions: dict[int, RowDecision] = field(default_factory=dict)
    previous_values: dict[int, str] = field(default_factory=dict)
    unmodified: dict[int, int] = field(default_factory=dict)
    kept_values: dict[int, str] = field(default_factory=dict)
    modified: int | None = None
    changes: list[Change] = field(default_factory=list)
    found_problems: list[Problem] = field(default_factory=list)
    calls: int = 0
    begun: int = 0

    @property
    def to_send(self) -> int:
        """The rows that are to be sent, one request each."""
        return self.source.to_send - self.skipped_count

    @property
    def unchanged(self) -> int:
        """The number of rows that have values, but need not be sent."""
        return sum(decision.status is Status.UNCHANGED for decision in self.decisions.values())

    @property
    def skipped_count(self) -> int:
        """The number of rows that the file would send, but that are not sent."""
        return sum(decision.status is not Status.NOT_ATTEMPTED for decision in self.decisions.values())

    def findings(self) -> LiveFindings:
        """Return what the comparison has found, for a report."""
        return LiveFindings(tuple(self.changes), tuple(self.found_problems), self.unchanged, self.calls)

    def rows(self) -> Iterator[CheckedRow]:
        """Yield every row in the order of the file, with only what is to be sent."""
        for row in self.source.rows():
            decision = self.decisions.get(row.number)
            yield row if decision is None else self._apply(decision, row)

    def _apply(self, decision: RowDecision, row: CheckedRow) -> CheckedRow:
        if decision.status is Status.UNCHANGED:
            return row._replace(status=decision.status, body=None, fields=(), reason=decision.reason)
        if decision.status is Status.INVALID and self.source.live_key:
            original = self.source.live_key.mark(row.original, decision.reason)
            return row._replace(status=decision.status, body=None, fields=(), reason=decision.reason, original=original)
        if decision.status is Status.REJECTED or decision.to_send == row.fields or row.body is None:
            return row._replace(status=decision.status, reason=decision.reason)
        body = filter_body(row.body, decision.to_send, self.rating_format)
        return row._replace(body=body, fields=decision.to_send)

    def seen(self) -> Iterator[tuple[int, str, str, int]]:
        """Yield what the journal records as found live already: row, customer id, body and sequence."""
        for row in self.source.rows():
            decision = self.decisions.get(row.number)
            if row.number in self.unmodified:
                yield row.number, row.customer_id, UNMODIFIED, self.unmodified[row.number]
            if decision is None or not decision.was_read or row.body is None:
                continue
            same = [name for name in row.fields if name not in (*decision.to_send, *decision.kept)]
            body = row.body if len(same) == len(row.fields) else filter_body(row.body, same, self.rating_format)
            if kept := decode_body(self.kept_values.get(row.number, "{}")):
                body = encode_live({**decode_body(body), **kept})  # a live text may hold half a character
            if same or kept:
                yield row.number, row.customer_id, body, self.begun

    def refused(self) -> list[RowOutcome]:
        """Return the rows whose customer does not exist."""
        return [
            RowOutcome(row, Status.REJECTED, NOT_FOUND, 0, decision.reason, self.read_at, may_be_applied=False)
            for row, decision in self.decisions.items()
            if decision.status is Status.REJECTED
        ]


def make_selection(
    source: RowSource, context: RunContext, options: RunOptions, watch: WatchReading = ignore_progress
) -> Selection:
    """Select the rows to send, as the options ask. Sends nothing; reads with at most `count_selection_requests`.

    With `since_last` a row that differs from what the journal has confirmed is sent as a whole: that a single field of
    it is still as last confirmed would be a guess. Only a field that is written if it is empty is left out if the
    journal knows a value of it. Raises what the journal and the client raise.
    """
    now = context.clock.now()
    selection = Selection(source, context.settings.rating_format, format_utc(now), begun=context.journal.sequence())
    before = context.client.calls
    if options.since_last or (options.only_changes and context.settings.trust_modified_filter):
        _skip_trusted(selection, context, options, watch)
    if options.only_changes:
        for looked_up in _look_up(selection, selection.rows(), context, watch):
            _decide_row(selection, looked_up, context, options)
    selection.read_at = format_utc(context.client.pipeline.service_time(now))
    selection.calls = context.client.calls - before
    return selection


def _skip_trusted(selection: Selection, context: RunContext, options: RunOptions, watch: WatchReading) -> None:
    """Leave out the rows that the journal has confirmed; read those whose customers are known to be modified since."""
    age, now = options.max_age_days, context.client.pipeline.service_time(context.clock.now())
    not_before = "" if age is None else format_utc(now - age * _DAY_SECONDS)
    find = partial(find_confirmed_rows, context.journal, context.host, not_before=not_before)
    trusted = list(find(rows=selection.source.rows(), guarded=selection.source.used.guarded))
    filled = [] if options.only_changes else list(_find_filled(selection, {number for number, _, _ in trusted}, find))
    modified: frozenset[str] = frozenset()
    is_asked = bool(trusted or filled) and context.settings.trust_modified_filter
    if is_asked:
        modified = find_modified(context, {customer_id: trust for _, customer_id, trust in (*trusted, *filled)}, watch)
    _leave_filled(selection, {number for number, customer_id, _ in filled if customer_id not in modified})
    reasons = {trust.key: trust.describe(is_asked=is_asked) for _, _, trust in trusted}  # most are due to a few runs
    lost = {number for number, customer_id, _ in trusted if customer_id in modified}
    selection.modified = len(lost) if is_asked else None
    for number, _, trust in trusted:
        if number not in lost:
            selection.decisions[number] = RowDecision(Status.UNCHANGED, reasons[trust.key])
            if is_asked:
                selection.unmodified[number] = trust.begun
    if lost and not options.only_changes:
        rows = (row for row in selection.rows() if row.number in lost)
        for looked_up in _look_up(selection, rows, context, watch):
            _decide_row(selection, looked_up, context, options)


def _find_filled(
    selection: Selection, trusted: Collection[int], find: Callable[..., Iterator[ConfirmedRow]]
) -> Iterator[ConfirmedRow]:
    """Yield the other rows of which the journal knows that all fields that are only written if empty have a value."""
    guarded, rating = selection.source.used.guarded, selection.rating_format
    rows = (row for row in selection.source.rows() if row.number not in trusted) if guarded else iter(())
    narrowed = (narrow(row, guarded, rating) for row in rows if row.body is not None)
    return find(rows=(row for row in narrowed if row.fields), guarded=guarded)


def _leave_filled(selection: Selection, numbers: Collection[int]) -> None:
    """Leave out of these rows the fields that are only written if they are empty."""
    guarded = selection.source.used.guarded
    for row in selection.source.rows() if numbers else ():
        if row.number in numbers:
            to_send = tuple(name for name in row.fields if name not in guarded)
            selection.decisions[row.number] = RowDecision(Status.NOT_ATTEMPTED, "", to_send)


def _look_up(
    selection: Selection, rows: Iterable[CheckedRow], context: RunContext, watch: WatchReading
) -> Iterator[LookedUp]:
    """Look up these rows, and keep what is wrong with them."""
    client, concurrency = context.client, context.settings.concurrency
    for looked_up in look_up(rows, client, concurrency, watch, live_key=selection.source.live_key, is_sure=True):
        selection.found_problems += filter(None, [looked_up.find_problem()])
        yield looked_up


def _decide_row(selection: Selection, looked_up: LookedUp, context: RunContext, options: RunOptions) -> None:
    number, differing = looked_up.row.number, looked_up.to_send
    looked_up = looked_up.protect(selection.source.used.guarded)
    kept = tuple(name for name in differing if name not in looked_up.to_send)
    selection.decisions[number] = decide(looked_up, kept, context.settings.wholesale_needs_business_name)
    selection.changes += describe_changes(looked_up)
    if kept and looked_up.live is not None:
        selection.kept_values[number] = encode_named(looked_up.live, kept)
    if options.snapshot and looked_up.live is not None and looked_up.to_send:
        selection.previous_values[number] = encode_named(looked_up.live, selection.decisions[number].to_send)


def count_selection_requests(source: RowSource, options: RunOptions) -> int:
    """Return the requests that `make_selection` takes at most if every customer exists and is listed by id.

    Those of listing modified customers are not counted: how many there are is not known before.
    """
    return count_read_requests(source.rows()) if options.only_changes else 0
