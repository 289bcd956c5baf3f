"""Undo a run: compare its customers again, then restore those that have not changed since."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME, Field
from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import LiveCustomer, encode_body, encode_live, format_value
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.diff import is_same
from bulkupdate.runs.live.fetch import (
    WatchReading,
    confirm_missing,
    count_requests,
    is_listed,
    quietly,
    read_each,
    read_live,
)
from bulkupdate.runs.new_run import make_new_run
from bulkupdate.runs.run_records import Run, RunOptions
from bulkupdate.runs.tenant.probe_traces import may_have_left
from bulkupdate.runs.undo_sheet import FIRST_ROW, Restoration, UndoSheet, make_undo_sheet
from bulkupdate.sellercloud.client import Client


@dataclass
class UndoComparison:
    """A customer compared again.

    `restored` are the values to send, `now` the live ones; `conflicts` and `losses` say, each in a sentence, what
    has changed since, and what cannot be restored.
    """

    restoration: Restoration
    now: LiveCustomer | None
    restored: dict[str, Value] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    @property
    def status(self) -> Status:
        """The status before sending."""
        if self.now is None or self.conflicts:
            return Status.REJECTED
        if self.restored:
            return Status.NOT_ATTEMPTED
        return Status.INVALID if self.losses else Status.UNCHANGED

    @property
    def reason(self) -> str:
        """Why that is the status; empty for a row that will be sent."""
        if self.now is None:
            return "the service no longer knows a customer with this id: not sent"
        reasons = {
            Status.REJECTED: f"changed since, left as it is: {'; '.join(self.conflicts)}",
            Status.INVALID: f"cannot be restored: {'; '.join(self.losses)}",
            Status.UNCHANGED: "the customer already has the previous values",
        }
        return reasons.get(self.status, "")


def count_recheck_requests(restorations: Sequence[Restoration]) -> int:
    """Return the number of requests that `recheck_live` makes if no customer has changed."""
    return count_requests(restoration.sent for restoration in restorations)


def recheck_live(
    restorations: Sequence[Restoration], client: Client, concurrency: int, watch: WatchReading
) -> list[UndoComparison]:
    """Compare the customers as they are now with what the run sent. Raises what the client raises.

    Customers that the list shows as changed are read again individually: the list joins names, and may lag behind.
    """
    by_id = {restoration.customer_id: restoration for restoration in restorations}
    wanted = {customer_id: restoration.sent for customer_id, restoration in by_id.items()}
    live = dict(read_live(client, wanted, concurrency, watch))
    missing = [customer_id for customer_id, now in live.items() if now is None]
    live |= confirm_missing(client, missing, concurrency, quietly(watch))
    compared = {key: _compare(restoration, live[key]) for key, restoration in by_id.items()}
    doubtful = [key for key, found in compared.items() if found.conflicts and is_listed(found.restoration.sent)]
    for customer_id, now in read_each(client, doubtful, concurrency, quietly(watch)):
        compared[customer_id] = _compare(by_id[customer_id], now)
    return list(compared.values())


def _compare(restoration: Restoration, now: LiveCustomer | None) -> UndoComparison:
    comparison = UndoComparison(restoration, now)
    for name, sent in restoration.sent.items() if now is not None else ():
        _compare_field(comparison, name, sent)
    return comparison


def _compare_field(comparison: UndoComparison, name: str, sent: Value) -> None:
    restoration, now = comparison.restoration, comparison.now or {}
    field, before = FIELD_BY_NAME[name], restoration.before.get(name)
    is_before_known = name in restoration.before
    if name not in now:
        comparison.conflicts.append(f"the service no longer shows {name}")
    elif is_before_known and now[name] == before:
        return
    elif restoration.written is not None and not may_have_left(name, now[name], before, restoration.written[name]):
        comparison.losses.append(f"{name} is {_quote_value(field, now[name])}, which someone else has set since")
    elif restoration.written is not None or is_same(now[name], sent):
        loss = restoration.why_not_restorable(name)
        if loss:
            comparison.losses.append(f"{name} is {_quote_value(field, now[name])}: {loss}")
        elif before is not None:
            comparison.restored[name] = before
    elif not is_before_known or not is_same(now[name], before):
        comparison.conflicts.append(
            f"{name} is {_quote_value(field, now[name])}, the run had set {_quote_value(field, sent)}"
        )


def _quote_value(field: Field, value: Value | None) -> str:
    text = format_value(field, value)
    return f"“{text}”" if text else "empty"


def undo_options(parent: Run) -> RunOptions:
    """Return the options of the run that undoes another one."""
    return RunOptions(undo=parent.id, snapshot=True, verify=parent.options.verify)


def list_undo_rows(compared: Sequence[UndoComparison], rating_format: str) -> Iterator[CheckedRow]:
    """Return the rows of the run that restores these customers."""
    return _make_rows(compared, make_undo_sheet([comparison.restoration for comparison in compared]), rating_format)


def create_undo(
    context: RunContext,
    parent: Run,
    run_id: str,
    compared: Sequence[UndoComparison],
    sheet_path: Path,
    results_path: Path,
    shown_as: str = "",
) -> Run:
    """Write the restorations into the journal as a new run, linked to the one that it undoes. Nothing is sent yet.

    `sheet_path` is the undo sheet, and `shown_as` its name for users, empty if that is its path. The values about to be
    overwritten are stored, so that an undo can be undone; the undo of a verified run is verified too. Raises
    `JournalError`.
    """
    sheet = make_undo_sheet([comparison.restoration for comparison in compared])
    with sheet_path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    new = make_new_run(
        context,
        run_id,
        file=shown_as or str(sheet_path.resolve()),
        sha256=sha256,
        headings=(CUSTOMER_ID.name, *sheet.names),
        options=undo_options(parent),
        results_path=results_path,
        parent=parent,
    )
    run = context.journal.add_run(new, _make_rows(compared, sheet, context.settings.rating_format))
    previous_values = (
        (comparison.restoration.number, encode_live({name: comparison.now[name] for name in comparison.restored}))
        for comparison in compared
        if comparison.status is Status.NOT_ATTEMPTED and comparison.now is not None
    )
    context.journal.keep_snapshots(run, previous_values)
    return run


def _make_rows(compared: Sequence[UndoComparison], sheet: UndoSheet, rating_format: str) -> Iterator[CheckedRow]:
    """Yield a row for each customer, and below them one more for each that can be restored in part only."""
    for comparison, original in zip(compared, sheet.rows, strict=True):
        is_sent = comparison.status is Status.NOT_ATTEMPTED
        yield CheckedRow(
            number=comparison.restoration.number,
            customer_id=comparison.restoration.customer_id,
            status=comparison.status,
            body=encode_body(comparison.restored, rating_format) if is_sent else None,
            fields=tuple(comparison.restored) if is_sent else (),
            original=original,
            reason=comparison.reason,
        )
    numbers = count(FIRST_ROW + len(compared))
    for comparison in compared:
        if comparison.status is Status.NOT_ATTEMPTED and comparison.losses:
            customer_id = comparison.restoration.customer_id
            blank = (customer_id, *("" for _ in sheet.names))
            reason = f"cannot be restored: {'; '.join(comparison.losses)}"
            yield CheckedRow(next(numbers), customer_id, Status.INVALID, None, (), blank, reason)
