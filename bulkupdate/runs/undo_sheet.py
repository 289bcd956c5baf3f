"""The previous values of a run, and the sheet that restores them. `undo_send.py` sends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from bulkupdate.customers.fields import CLEAR, FIELD_BY_NAME, UPDATABLE, Field
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import LiveCustomer, decode_body, decode_live, format_value
from bulkupdate.errors import BusyError, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.live.round_trip import to_cell
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.tenant.probe_traces import list_written
from bulkupdate.spreadsheets.writing.customer_sheet import Remark, RestoredValue

FIRST_ROW = 2
"""The first one below the headings."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """One customer to be restored.

    `sent` has the values that the run sent if they differ from those of `before`. A field that is None in `before` was
    empty; a missing one was not shown by the service. `number` is its row in the sheet. `written` are all the
    values that a probe may have sent to each field; None: the run was no probe.
    """

    number: int
    customer_id: str
    sent: dict[str, Value]
    before: LiveCustomer
    written: Mapping[str, Sequence[Value]] | None = None

    def why_not_restorable(self, name: str) -> str:
        """Return why a field cannot be restored; empty if it can."""
        field = FIELD_BY_NAME[name]
        if name not in self.before:
            return "the service did not show what it was before"
        before = self.before[name]
        if before is None:
            return f"it was empty before, and the service has no way to empty a {field.type.label}"
        if any("\ud800" <= character <= "\udfff" for character in format_value(field, before)):
            return "it held half a character before, which cannot be sent"
        return ""


def find_restorations(journal: Journal, run: Run) -> list[Restoration]:
    """Return the customers that a run changed, or may have changed.

    Raises `UsageError` if the run kept no previous values, `BusyError` while it is being sent, `JournalError`.
    """
    if effective_state(journal, run) is RunState.RUNNING:
        raise BusyError(f"Run {run.id} is being sent just now.", remedy="Wait for its end, or stop it first.")
    if not run.options.snapshot and not journal.has_snapshots(run):
        raise UsageError(
            f"Run {run.id} kept no previous values, so it cannot be undone.",
            remedy="Only a run with --snapshot can be undone.",
        )
    if run.options.probe:
        return _merge_steps(journal.list_touched(run))
    numbers = count(FIRST_ROW)
    found = []
    for customer_id, body, before_text in journal.list_touched(run):
        before = decode_live(before_text)
        sent = {name: value for name, value in decode_body(body).items() if before.get(name) != value}
        if sent:
            found.append(Restoration(next(numbers), customer_id, sent, before))
    return found


def _merge_steps(touched: Sequence[tuple[str, str, str]]) -> list[Restoration]:
    """Return the customer of a probe, whose rows are several updates of it; nothing if none was sent."""
    written = list_written(decode_body(body) for _, body, _ in touched)
    sent = {name: values[-1] for name, values in written.items()}
    return [
        Restoration(FIRST_ROW, customer_id, sent, decode_live(before), written)
        for customer_id, _, before in touched[:1]
    ]


@dataclass(frozen=True)
class UndoSheet:
    """The sheet that restores the previous values.

    `names` are its columns beside the id, `remarks` what it cannot hold, `restored` the values with those the run sent.
    """

    names: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    restored: list[RestoredValue] = field(default_factory=list)


def make_undo_sheet(restorations: Sequence[Restoration]) -> UndoSheet:
    """Return the previous values in the input format: `<clear>` for empty ones, a blank cell for unchanged ones."""
    sheet = UndoSheet(tuple(field.name for field in UPDATABLE if any(field.name in r.sent for r in restorations)))
    for restoration in restorations:
        cells = (_make_cell(restoration, FIELD_BY_NAME[name], sheet) for name in sheet.names)
        sheet.rows.append((restoration.customer_id, *cells))
    return sheet


def _make_cell(restoration: Restoration, field: Field, sheet: UndoSheet) -> str:
    if field.name not in restoration.sent:
        return ""
    before = restoration.before.get(field.name)
    text, loss = "", restoration.why_not_restorable(field.name)
    if before is not None and not loss:
        text, loss = to_cell(field, before) if before not in ("", ()) else (CLEAR, "")
    if loss:
        sheet.remarks.append(Remark(restoration.customer_id, field.name, format_value(field, before), loss))
    if text:
        sent, previous = (format_value(field, value) for value in (restoration.sent[field.name], before))
        sheet.restored.append(RestoredValue(restoration.customer_id, field.name, sent, previous))
    return text
