"""The values of before: the sheet that puts them back, and the run that does so after comparing again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bulkupdate.customers.fields import CLEAR, CUSTOMER_ID, FIELD_BY_NAME, UPDATABLE, Field
from bulkupdate.customers.payload import LiveCustomer, decode_body, decode_live, encode_body, encode_live, show_value
from bulkupdate.customers.readings import Value
from bulkupdate.customers.records import CheckedRow, Status
from bulkupdate.errors import BusyError, UsageError
from bulkupdate.runs.cells import give_cell
from bulkupdate.runs.compare import is_same
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.live import WatchReading, confirm_missing, count_calls, is_listed, read_each, read_live
from bulkupdate.runs.lock import true_state
from bulkupdate.runs.records import NewRun, Run, RunState
from bulkupdate.runs.run import UNDO, Parts
from bulkupdate.runs.snapshots import has_snapshots, keep_snapshots
from bulkupdate.service.client import Client
from bulkupdate.spreadsheets.customer_sheet import Remark

_FIRST_ROW = 2  # below the headings of the sheet

_TOUCHED = """
SELECT rows.customer_id, inputs.body, snapshots.before
FROM snapshots JOIN rows USING (run, row) JOIN inputs USING (run, row)
WHERE run = ? AND rows.status IN ('updated', 'unknown', 'failed') ORDER BY row
"""
"""What was, or may have been, changed."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """One customer to be put back: the values that the run sent, where they differ from those of `before`. A field that
    is None in `before` was empty, one that is not in it was not shown by the service. `number` is its row in the sheet.
    """

    number: int
    customer_id: str
    sent: dict[str, Value]
    before: LiveCustomer

    def explain_loss(self, name: str) -> str:
        """Why a field cannot be put back; empty where it can."""
        each = FIELD_BY_NAME[name]
        if name not in self.before:
            return "the service did not show what it was before"
        before = self.before[name]
        if before is None:
            return f"it was empty before, and the service has no way to empty a {each.kind.value}"
        if any("\ud800" <= character <= "\udfff" for character in show_value(each, before)):
            return "it held half a character before, which cannot be sent"
        return ""


def find_restorations(journal: Journal, run: Run, state_dir: Path) -> list[Restoration]:
    """The customers that a run changed, or may have changed.

    Raises `UsageError` where the run kept no values of before, `BusyError` while it is being sent, `JournalError`.
    """
    if true_state(state_dir, run) is RunState.RUNNING:
        raise BusyError(f"Run {run.id} is being sent just now.", remedy="Wait for its end, or stop it first.")
    if not run.options.get("snapshot") and not has_snapshots(journal, run):
        raise UsageError(
            f"Run {run.id} kept no values of before, so they cannot be put back.",
            remedy="Only a run with --snapshot can be undone.",
        )
    numbers = count(_FIRST_ROW)
    found = []
    for customer_id, body, before_text in journal.select(_TOUCHED, (run.key,)):
        before = decode_live(before_text)
        sent = {name: value for name, value in decode_body(body).items() if before.get(name) != value}
        if sent:
            found.append(Restoration(next(numbers), customer_id, sent, before))
    return found


@dataclass(frozen=True)
class UndoSheet:
    """The sheet that puts the values back. `names` are its columns beside the id, `remarks` what it cannot hold."""

    names: tuple[str, ...]
    rows: list[tuple[str, ...]]
    remarks: list[Remark]


def make_undo_sheet(restorations: Sequence[Restoration]) -> UndoSheet:
    """The values of before in the input format: what was empty as `<clear>`, what was not changed as a blank."""
    sheet = UndoSheet(tuple(each.name for each in UPDATABLE if any(each.name in r.sent for r in restorations)), [], [])
    for restoration in restorations:
        cells = (_make_cell(restoration, FIELD_BY_NAME[name], sheet.remarks) for name in sheet.names)
        sheet.rows.append((restoration.customer_id, *cells))
    return sheet


def _make_cell(restoration: Restoration, each: Field, remarks: list[Remark]) -> str:
    if each.name not in restoration.sent:
        return ""
    before = restoration.before.get(each.name)
    text, loss = "", restoration.explain_loss(each.name)
    if before is not None and not loss:
        text, loss = give_cell(each, before) if before not in ("", ()) else (CLEAR, "")
    if loss:
        remarks.append(Remark(restoration.customer_id, each.name, show_value(each, before), loss))
    return text


@dataclass
class Comparison:
    """A customer compared again. `restored` are the values to send, `now` the live ones; `conflicts` and `losses` say,
    each in a sentence, what someone has changed since and what cannot be put back."""

    restoration: Restoration
    now: LiveCustomer | None
    restored: dict[str, Value] = field(default_factory=dict)
    conflicts: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    @property
    def status(self) -> Status:
        """The verdict before sending."""
        if self.now is None or self.conflicts:
            return Status.REJECTED
        if self.restored:
            return Status.NOT_ATTEMPTED
        return Status.INVALID if self.losses else Status.UNCHANGED

    @property
    def reason(self) -> str:
        """Why that is the verdict; empty for a row that will be sent."""
        if self.now is None:
            return "the service knows no customer of this id any more: not sent"
        reasons = {
            Status.REJECTED: f"changed by someone since, left alone: {'; '.join(self.conflicts)}",
            Status.INVALID: f"cannot be put back: {'; '.join(self.losses)}",
            Status.UNCHANGED: "the customer has the values of before already",
        }
        return reasons.get(self.status, "")


def count_comparing(restorations: Sequence[Restoration]) -> int:
    """The calls that `compare_again` takes, if nobody has changed the customers."""
    return count_calls(each.sent for each in restorations)


def compare_again(
    restorations: Sequence[Restoration], client: Client, concurrency: int, watch: WatchReading
) -> list[Comparison]:
    """The customers as they are now against what the run sent. Raises what the client raises.

    What the list shows as changed is read once more by itself: the list joins names, and may lag behind.
    """
    by_id = {each.customer_id: each for each in restorations}
    live = dict(read_live(client, {each.customer_id: each.sent for each in restorations}, concurrency, watch))
    missing = [customer_id for customer_id, now in live.items() if now is None]
    live |= confirm_missing(client, missing, concurrency, _quietly(watch))
    compared = {each.customer_id: _compare(each, live[each.customer_id]) for each in restorations}
    doubtful = [key for key, each in compared.items() if each.conflicts and is_listed(each.restoration.sent)]
    for customer_id, now in read_each(client, doubtful, concurrency, _quietly(watch)):
        compared[customer_id] = _compare(by_id[customer_id], now)
    return list(compared.values())


def _quietly(watch: WatchReading) -> WatchReading:
    """The customers of a second reading are not counted twice."""
    return lambda _count, waiting: watch(0, waiting)


def _compare(restoration: Restoration, now: LiveCustomer | None) -> Comparison:
    comparison = Comparison(restoration, now)
    for name, sent in restoration.sent.items() if now is not None else ():
        _compare_field(comparison, name, sent)
    return comparison


def _compare_field(comparison: Comparison, name: str, sent: Value) -> None:
    restoration, now = comparison.restoration, comparison.now or {}
    each, before = FIELD_BY_NAME[name], restoration.before.get(name)
    is_before_known = name in restoration.before
    if name not in now:
        comparison.conflicts.append(f"the service does not show {name} any more")
    elif is_before_known and now[name] == before:
        return
    elif is_same(now[name], sent):
        loss = restoration.explain_loss(name)
        if loss:
            comparison.losses.append(f"{name} is {_quote(each, now[name])}: {loss}")
        elif before is not None:
            comparison.restored[name] = before
    elif not is_before_known or not is_same(now[name], before):
        comparison.conflicts.append(f"{name} is {_quote(each, now[name])}, the run had set {_quote(each, sent)}")


def _quote(each: Field, value: Value | None) -> str:
    text = show_value(each, value)
    return f"“{text}”" if text else "empty"


def begin_undo(
    parts: Parts, parent: Run, run_id: str, compared: Sequence[Comparison], sheet_path: Path, results_path: Path
) -> Run:
    """Write the restorations into the journal as a new run, linked to the one they take back. Nothing is sent yet.

    `sheet_path` is the sheet written of them. What is about to be overwritten is kept, so that an undo can be undone.
    Raises `JournalError`.
    """
    sheet = make_undo_sheet([each.restoration for each in compared])
    with sheet_path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    new = NewRun(
        id=run_id,
        file=str(sheet_path.resolve()),
        sha256=sha256,
        host=parts.host,
        username=parts.settings.username,
        headings=(CUSTOMER_ID.name, *sheet.names),
        options={UNDO: parent.id, "snapshot": True},
        settings=parts.settings.describe(),
        results_path=str(results_path.resolve()),
        parent=parent.id,
    )
    run = parts.journal.add_run(new, _make_rows(compared, sheet, parts.settings.rating_format))
    befores = (
        (each.restoration.number, encode_live({name: each.now[name] for name in each.restored}))
        for each in compared
        if each.status is Status.NOT_ATTEMPTED and each.now is not None
    )
    keep_snapshots(parts.journal, run, befores)
    return run


def _make_rows(compared: Sequence[Comparison], sheet: UndoSheet, rating_format: str) -> Iterator[CheckedRow]:
    """A row for each customer, and below them one more for each that can be put back in part only."""
    for each, original in zip(compared, sheet.rows, strict=True):
        is_sent = each.status is Status.NOT_ATTEMPTED
        yield CheckedRow(
            number=each.restoration.number,
            customer_id=each.restoration.customer_id,
            status=each.status,
            body=encode_body(each.restored, rating_format) if is_sent else None,
            fields=tuple(each.restored) if is_sent else (),
            original=original,
            reason=each.reason,
        )
    numbers = count(_FIRST_ROW + len(compared))
    for each in compared:
        if each.status is Status.NOT_ATTEMPTED and each.losses:
            customer_id = each.restoration.customer_id
            blank = (customer_id, *("" for _ in sheet.names))
            reason = f"cannot be put back: {'; '.join(each.losses)}"
            yield CheckedRow(next(numbers), customer_id, Status.INVALID, None, (), blank, reason)
