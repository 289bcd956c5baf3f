"""Select the rows that a run has to send: those whose values are not live already."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from bulkupdate.clock import format_utc
from bulkupdate.customers.models import Change, CheckedRow, Problem, Status
from bulkupdate.customers.payload import filter_body
from bulkupdate.runs.confirmed_values import Confirmation, find_confirmed
from bulkupdate.runs.diff import LookedUp, count_reading, describe_changes, describe_unknown, look_up
from bulkupdate.runs.fetch import WatchReading
from bulkupdate.runs.input_file import CheckedRows, RowSource
from bulkupdate.runs.live_findings import LiveFindings
from bulkupdate.runs.run_records import RowOutcome, Run
from bulkupdate.runs.runner import RunContext, RunOptions, create_run
from bulkupdate.runs.snapshots import NO_SUCH_CUSTOMER, NOT_FOUND, encode_named

_ROWS_AT_A_TIME = 5000
_DAY_SECONDS = 86_400

SAME = "the live customer already has every value"

_NEEDS_COMPANY = {"IsWholesale": "BusinessName"}
"""Fields that go out together where the client setting of wholesale customers is on (`docs/api.md`, section Fields)."""


@dataclass(frozen=True, slots=True)
class RowDecision:
    """What was found out about a row before sending.

    It has the status, the reason, and the fields that are still to be sent. `was_read` tells that the live customer was
    looked at.
    """

    status: Status
    reason: str
    to_send: tuple[str, ...] = ()
    was_read: bool = False


@dataclass
class Selection:
    """The rows of a file as they will be sent; itself a `RowSource`. Given to `begin_planned` in the file's place.

    `calls` is what planning has cost, `read_at` when it was done (ISO 8601, UTC). `verdicts` and `previous_values` (the
    live previous values, kept for `undo`) are by row number. `begun` is the journal's sequence when reading began.
    """

    source: RowSource
    rating_format: str
    read_at: str
    verdicts: dict[int, RowDecision] = field(default_factory=dict)
    previous_values: dict[int, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    unknown: list[Problem] = field(default_factory=list)
    calls: int = 0
    begun: int = 0

    @property
    def path(self) -> Path:
        """Where the file is, or was."""
        return self.source.path

    @property
    def sha256(self) -> str:
        """Its content, by which it is known again."""
        return self.source.sha256

    @property
    def shown_as(self) -> str | None:
        """The name people know it by; None where that is its path."""
        return self.source.shown_as

    @property
    def checked(self) -> CheckedRows:
        """Its rows as planned, and its problems."""
        return _PlannedRows(self)

    @property
    def unchanged(self) -> int:
        """How many rows need no sending though they hold values."""
        return sum(verdict.status is Status.UNCHANGED for verdict in self.verdicts.values())

    @property
    def skipped_count(self) -> int:
        """How many rows that the file would send are not sent."""
        return sum(verdict.status is not Status.NOT_ATTEMPTED for verdict in self.verdicts.values())

    def findings(self) -> LiveFindings:
        """Return what reading has found, for a report."""
        return LiveFindings(tuple(self.changes), tuple(self.unknown), self.unchanged, self.calls)

    def rows(self) -> Iterator[CheckedRow]:
        """Every row in the order of the file, with only what is to be sent."""
        for row in self.source.checked.rows():
            verdict = self.verdicts.get(row.number)
            yield row if verdict is None else self._apply(verdict, row)

    def _apply(self, verdict: RowDecision, row: CheckedRow) -> CheckedRow:
        if verdict.status is Status.UNCHANGED:
            return replace(row, status=verdict.status, body=None, fields=(), reason=verdict.reason)
        if verdict.status is Status.REJECTED or verdict.to_send == row.fields or row.body is None:
            return replace(row, status=verdict.status, reason=verdict.reason)
        body = filter_body(row.body, verdict.to_send, self.rating_format)
        return replace(row, body=body, fields=verdict.to_send)

    def seen(self) -> Iterator[tuple[int, str, str]]:
        """Row, customer id and body of the values that were found live already."""
        for row in self.source.checked.rows():
            verdict = self.verdicts.get(row.number)
            if verdict is None or not verdict.was_read or row.body is None:
                continue
            same = [name for name in row.fields if name not in verdict.to_send]
            if same:
                body = row.body if len(same) == len(row.fields) else filter_body(row.body, same, self.rating_format)
                yield row.number, row.customer_id, body

    def refused(self) -> list[RowOutcome]:
        """Return the rows whose customer does not exist."""
        return [
            RowOutcome(row, Status.REJECTED, NOT_FOUND, 0, verdict.reason, self.read_at, may_be_applied=False)
            for row, verdict in self.verdicts.items()
            if verdict.status is Status.REJECTED
        ]


@dataclass(frozen=True)
class _PlannedRows:
    plan: Selection

    @property
    def original_headings(self) -> tuple[str, ...]:
        return self.plan.source.checked.original_headings

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.plan.source.checked.problems

    def rows(self) -> Iterator[CheckedRow]:
        return self.plan.rows()


def plan_sending(
    source: RowSource, parts: RunContext, options: RunOptions, watch: WatchReading = lambda _count, _waiting: None
) -> Selection:
    """Find out which rows need sending, as the options ask. Sends nothing; reads as many as `count_planned_reading`.

    With `since_last` a row that differs from what the journal vouches for is sent whole: that a single field of it
    still is as last confirmed would be a guess. Raises what the journal and the client raise.
    """
    plan = Selection(
        source, parts.settings.rating_format, format_utc(parts.clock.now()), begun=parts.journal.sequence()
    )
    before = parts.client.calls
    if options.since_last:
        plan.verdicts.update(_trust_journal(source.checked.rows(), parts, options))
    if options.only_changes:
        for each in look_up(plan.rows(), parts.client, parts.settings.concurrency, watch, is_sure=True):
            _plan_row(plan, each, parts, options)
    plan.calls = parts.client.calls - before
    return plan


def _plan_row(plan: Selection, each: LookedUp, parts: RunContext, options: RunOptions) -> None:
    number = each.row.number
    plan.verdicts[number] = _judge(each, parts.settings.wholesale_needs_business_name)
    plan.changes += describe_changes(each)
    if each.live is None:
        plan.unknown.append(describe_unknown(each.row))
    elif options.snapshot and each.to_send:
        plan.previous_values[number] = encode_named(each.live, plan.verdicts[number].to_send)


def begin_planned(parts: RunContext, run_id: str, plan: Selection, options: RunOptions, results_path: Path) -> Run:
    """Write planned rows into the journal as a new run, and what reading has found out beside it.

    A process killed in between loses nothing but savings: the previous values are then read again. Raises
    `JournalError`.
    """
    run = create_run(parts, run_id, plan, options, results_path)
    if plan.previous_values:
        parts.journal.keep_snapshots(run, plan.previous_values.items())
    if any(verdict.was_read for verdict in plan.verdicts.values()):
        parts.journal.record_observed(run, plan.seen(), plan.read_at, plan.begun)
    parts.journal.record(run, outcomes=plan.refused())
    return run


def count_planned_reading(source: RowSource, options: RunOptions) -> int:
    """Return the calls that `plan_sending` takes at most if every customer exists and is listed by id."""
    return count_reading(source.checked.rows()) if options.only_changes else 0


def count_reading_beside(plan: Selection, options: RunOptions) -> int:
    """Return the calls that the run takes for reading: before it sends (`snapshot`) and after (`verify`)."""
    times = options.verify + (options.snapshot and not options.only_changes)
    if not times:
        return 0
    rows = islice((row for row in plan.rows() if row.status is Status.NOT_ATTEMPTED), options.limit)
    return times * count_reading(rows)


def _trust_journal(
    rows: Iterable[CheckedRow], parts: RunContext, options: RunOptions
) -> Iterator[tuple[int, RowDecision]]:
    """Yield the rows that the journal vouches for."""
    age = options.max_age_days
    not_before = "" if age is None else format_utc(parts.clock.now() - age * _DAY_SECONDS)
    verdicts: dict[Confirmation, RowDecision] = {}  # most rows rest on the same few runs
    remaining = (row for row in rows if row.body is not None)
    while chunk := list(islice(remaining, _ROWS_AT_A_TIME)):
        wanted = {row.customer_id: row.body for row in chunk if row.body is not None}
        trusted = find_confirmed(parts.journal, parts.host, wanted, not_before)
        for row in chunk:
            trust = trusted.get(row.customer_id)
            if trust is not None:
                yield row.number, verdicts.setdefault(trust, RowDecision(Status.UNCHANGED, _explain_trust(trust)))


def _explain_trust(trust: Confirmation) -> str:
    return f"the service was not asked: the journal says that run {trust.run_id} confirmed these values at {trust.at}"


def _judge(looked_up: LookedUp, wholesale_needs_business_name: bool) -> RowDecision:
    if looked_up.live is None:
        return RowDecision(Status.REJECTED, NO_SUCH_CUSTOMER)
    if not looked_up.to_send:
        return RowDecision(Status.UNCHANGED, SAME, was_read=True)
    to_send = looked_up.to_send
    if wholesale_needs_business_name:
        companions = {_NEEDS_COMPANY[name] for name in to_send if name in _NEEDS_COMPANY}
        to_send = tuple(name for name in looked_up.row.fields if name in to_send or name in companions)
    return RowDecision(Status.NOT_ATTEMPTED, "", to_send, was_read=True)
