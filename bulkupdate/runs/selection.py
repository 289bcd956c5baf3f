"""Select the rows that a run has to send: those whose values are not live already."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import tee
from pathlib import Path

from bulkupdate.clock import format_utc
from bulkupdate.customers.models import Change, CheckedRow, Problem, Status
from bulkupdate.customers.payload import filter_body
from bulkupdate.customers.write_policy import find_guarded, find_kept
from bulkupdate.runs.confirmed_values import find_confirmed_rows
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.diff import LookedUp, count_read_requests, describe_changes, describe_unknown, look_up
from bulkupdate.runs.fetch import WatchReading, count_requests
from bulkupdate.runs.live_findings import LiveFindings
from bulkupdate.runs.modified_customers import find_modified
from bulkupdate.runs.row_source import RowSource
from bulkupdate.runs.run_records import RowOutcome, RunOptions
from bulkupdate.runs.snapshots import NO_SUCH_CUSTOMER, NOT_FOUND, encode_named
from bulkupdate.settings import Settings

_DAY_SECONDS = 86_400

SAME = "the live customer already has every value"

_NEEDS_COMPANY = {"IsWholesale": "BusinessName"}
"""Fields that are sent together if the client setting of wholesale customers is on (`docs/api.md`, section Fields)."""


@dataclass(frozen=True, slots=True)
class RowDecision:
    """What was found out about a row before sending.

    It has the status, the reason, and the fields that are still to be sent. `was_read` tells that all of its
    fields were looked at live. `kept` are fields that the write policy keeps as they are.
    """

    status: Status
    reason: str
    to_send: tuple[str, ...] = ()
    was_read: bool = False
    kept: tuple[str, ...] = ()


@dataclass
class Selection:
    """The rows of a file as they will be sent; itself a `RowSource`.

    `calls` is the requests that selecting has cost, `read_at` when it was done (ISO 8601, UTC). `decisions` and
    `previous_values` (the live ones, kept for `undo`) are by row number. `begun` is the journal's sequence when reading
    began.
    """

    source: RowSource
    rating_format: str
    read_at: str
    decisions: dict[int, RowDecision] = field(default_factory=dict)
    previous_values: dict[int, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    unknown: list[Problem] = field(default_factory=list)
    calls: int = 0
    begun: int = 0

    @property
    def path(self) -> Path:
        """The path of the file, which may be gone."""
        return self.source.path

    @property
    def sha256(self) -> str:
        """Its content, by which it is recognised."""
        return self.source.sha256

    @property
    def shown_as(self) -> str | None:
        """The name its users know it by; None if that is its path."""
        return self.source.shown_as

    @property
    def sheet_name(self) -> str | None:
        """The sheet of the workbook that was read; None if the file has none."""
        return self.source.sheet_name

    @property
    def original_headings(self) -> tuple[str, ...]:
        """The file's headings."""
        return self.source.original_headings

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the checks found in the file."""
        return self.source.problems

    @property
    def to_send(self) -> int:
        """The rows that are to be sent, one request each."""
        return self.source.to_send - self.skipped_count

    @property
    def unchanged(self) -> int:
        """How many rows need no sending though they hold values."""
        return sum(decision.status is Status.UNCHANGED for decision in self.decisions.values())

    @property
    def skipped_count(self) -> int:
        """How many rows that the file would send are not sent."""
        return sum(decision.status is not Status.NOT_ATTEMPTED for decision in self.decisions.values())

    def findings(self) -> LiveFindings:
        """Return what reading has found, for a report."""
        return LiveFindings(tuple(self.changes), tuple(self.unknown), self.unchanged, self.calls)

    def rows(self) -> Iterator[CheckedRow]:
        """Every row in the order of the file, with only what is to be sent."""
        for row in self.source.rows():
            decision = self.decisions.get(row.number)
            yield row if decision is None else self._apply(decision, row)

    def _apply(self, decision: RowDecision, row: CheckedRow) -> CheckedRow:
        if decision.status is Status.UNCHANGED:
            return replace(row, status=decision.status, body=None, fields=(), reason=decision.reason)
        if decision.status is Status.REJECTED or decision.to_send == row.fields or row.body is None:
            return replace(row, status=decision.status, reason=decision.reason)
        body = filter_body(row.body, decision.to_send, self.rating_format)
        return replace(row, body=body, fields=decision.to_send)

    def seen(self) -> Iterator[tuple[int, str, str]]:
        """Yield row, customer id and body of the values that were found live already."""
        for row in self.source.rows():
            decision = self.decisions.get(row.number)
            if decision is None or not decision.was_read or row.body is None:
                continue
            same = [name for name in row.fields if name not in (*decision.to_send, *decision.kept)]
            if same:
                body = row.body if len(same) == len(row.fields) else filter_body(row.body, same, self.rating_format)
                yield row.number, row.customer_id, body

    def refused(self) -> list[RowOutcome]:
        """Return the rows whose customer does not exist."""
        return [
            RowOutcome(row, Status.REJECTED, NOT_FOUND, 0, decision.reason, self.read_at, may_be_applied=False)
            for row, decision in self.decisions.items()
            if decision.status is Status.REJECTED
        ]


def make_selection(
    source: RowSource, context: RunContext, options: RunOptions, watch: WatchReading = lambda _count, _waiting: None
) -> Selection:
    """Find out which rows need sending, as the options ask. Sends nothing; reads as many as `count_selection_requests`.

    With `since_last` a row that differs from what the journal has confirmed is sent whole: that a single field of it
    is still as last confirmed would be a guess. Raises what the journal and the client raise.
    """
    selection = Selection(
        source, context.settings.rating_format, format_utc(context.clock.now()), begun=context.journal.sequence()
    )
    before = context.client.calls
    if options.since_last or (options.only_changes and context.settings.trust_modified_filter):
        _skip_trusted(selection, context, options, watch)
    if options.only_changes:
        for each in look_up(selection.rows(), context.client, context.settings.concurrency, watch, is_sure=True):
            _decide_row(selection, each, context, options)
    elif guarded := find_guarded(context.settings):
        _protect_values(selection, guarded, context, watch)
    selection.calls = context.client.calls - before
    return selection


def _skip_trusted(selection: Selection, context: RunContext, options: RunOptions, watch: WatchReading) -> None:
    """Leave out the rows that the journal has confirmed. If it is known who was modified since, those are read."""
    age = options.max_age_days
    not_before = "" if age is None else format_utc(context.clock.now() - age * _DAY_SECONDS)
    trusted = list(find_confirmed_rows(context.journal, context.host, selection.source.rows(), not_before))
    modified: frozenset[str] = frozenset()
    is_asked = bool(trusted) and context.settings.trust_modified_filter
    if is_asked:
        modified = find_modified(context, min(trust.at for _, _, trust in trusted), watch)
    reasons = {trust: trust.describe(is_asked=is_asked) for _, _, trust in trusted}  # most rest on a few runs
    lost = {number for number, customer_id, _ in trusted if customer_id in modified}
    for number, _, trust in trusted:
        if number not in lost:
            selection.decisions[number] = RowDecision(Status.UNCHANGED, reasons[trust])
    if lost and not options.only_changes:
        rows = (row for row in selection.rows() if row.number in lost)
        for each in look_up(rows, context.client, context.settings.concurrency, watch, is_sure=True):
            _decide_row(selection, each, context, options)


def _decide_row(selection: Selection, each: LookedUp, context: RunContext, options: RunOptions) -> None:
    number = each.row.number
    kept = () if each.live is None else find_kept(each.to_send, each.live, find_guarded(context.settings))
    each = replace(each, to_send=tuple(name for name in each.to_send if name not in kept))
    selection.decisions[number] = _decide(each, kept, context.settings.wholesale_needs_business_name)
    selection.changes += describe_changes(each)
    if each.live is None:
        selection.unknown.append(describe_unknown(each.row))
    elif options.snapshot and each.to_send:
        selection.previous_values[number] = encode_named(each.live, selection.decisions[number].to_send)


def _protect_values(selection: Selection, guarded: frozenset[str], context: RunContext, watch: WatchReading) -> None:
    """Read the guarded fields of the rows that have any, and decide which are kept."""
    rows, same_rows = tee(row for row in selection.rows() if row.body is not None and guarded.intersection(row.fields))
    narrowed = (_narrow(row, guarded, selection.rating_format) for row in same_rows)
    found = look_up(narrowed, context.client, context.settings.concurrency, watch, is_sure=True)
    for row, each in zip(rows, found, strict=True):
        kept = () if each.live is None else find_kept(each.row.fields, each.live, guarded)
        to_send = tuple(name for name in row.fields if name not in kept)
        selection.decisions[row.number] = replace(_decide(replace(each, to_send=to_send), kept, False), was_read=False)
        if each.live is None:
            selection.unknown.append(describe_unknown(row))


def _narrow(row: CheckedRow, names: Collection[str], rating_format: str) -> CheckedRow:
    fields = tuple(name for name in row.fields if name in names)
    return replace(row, fields=fields, body=filter_body(row.body or "{}", fields, rating_format))


def count_selection_requests(source: RowSource, options: RunOptions, settings: Settings) -> int:
    """Return the requests that `make_selection` takes at most if every customer exists and is listed by id."""
    if options.only_changes:
        return count_read_requests(source.rows())
    guarded = find_guarded(settings)
    wanted = (guarded.intersection(row.fields) for row in source.rows() if row.body is not None) if guarded else ()
    return count_requests(filter(None, wanted))


def _decide(looked_up: LookedUp, kept: tuple[str, ...], wholesale_needs_business_name: bool) -> RowDecision:
    if looked_up.live is None:
        return RowDecision(Status.REJECTED, NO_SUCH_CUSTOMER)
    if not looked_up.to_send:
        reason = f"not empty, so kept (write policy): {', '.join(kept)}" if kept else SAME
        return RowDecision(Status.UNCHANGED, reason, was_read=True, kept=kept)
    to_send = looked_up.to_send
    if wholesale_needs_business_name:
        companions = {_NEEDS_COMPANY[name] for name in to_send if name in _NEEDS_COMPANY}.difference(kept)
        to_send = tuple(name for name in looked_up.row.fields if name in to_send or name in companions)
    return RowDecision(Status.NOT_ATTEMPTED, "", to_send, was_read=True, kept=kept)
