"""The previous values of a run, and the sheet that restores them. `undo_send.py` sends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from bulkupdate.customers.fields import CLEAR, FIELD_BY_NAME, UPDATABLE, Field
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import LiveCustomer, decode_body, decode_live, format_value
from bulkupdate.errors import BusyError, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.round_trip import to_cell
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.spreadsheets.writing.customer_sheet import Remark, RestoredValue

FIRST_ROW = 2
"""The first one below the headings."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """One customer to be restored.

    `sent` has the values that the run sent if they differ from those of `before`. A field that is None in `before`
    was empty, one that is not in it was not shown by the service. `number` is its row in the sheet.
    """

    number: int
    customer_id: str
    sent: dict[str, Value]
    before: LiveCustomer

    def why_not_restorable(self, name: str) -> str:
        """Return why a field cannot be restored; empty if it can."""
        each = FIELD_BY_NAME[name]
        if name not in self.before:
            return "the service did not show what it was before"
        before = self.before[name]
        if before is None:
            return f"it was empty before, and the service has no way to empty a {each.type.label}"
        if any("\ud800" <= character <= "\udfff" for character in format_value(each, before)):
            return "it held half a character before, which cannot be sent"
        return ""


def find_restorations(journal: Journal, run: Run, state_dir: Path) -> list[Restoration]:
    """Return the customers that a run changed, or may have changed.

    Raises `UsageError` if the run kept no previous values, `BusyError` while it is being sent, `JournalError`.
    """
    if effective_state(state_dir, run) is RunState.RUNNING:
        raise BusyError(f"Run {run.id} is being sent just now.", remedy="Wait for its end, or stop it first.")
    if not run.options.snapshot and not journal.has_snapshots(run):
        raise UsageError(
            f"Run {run.id} kept no previous values, so it cannot be undone.",
            remedy="Only a run with --snapshot can be undone.",
        )
    numbers = count(FIRST_ROW)
    found = []
    for customer_id, body, before_text in journal.list_touched(run):
        before = decode_live(before_text)
        sent = {name: value for name, value in decode_body(body).items() if before.get(name) != value}
        if sent:
            found.append(Restoration(next(numbers), customer_id, sent, before))
    return found


@dataclass(frozen=True)
class UndoSheet:
    """The sheet that restores the previous values.

    `names` are its columns beside the id, `remarks` what it cannot hold, `restored` the values beside those the run
    sent.
    """

    names: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    restored: list[RestoredValue] = field(default_factory=list)


def make_undo_sheet(restorations: Sequence[Restoration]) -> UndoSheet:
    """Return the previous values in the input format: what was empty as `<clear>`, what was not changed as a blank."""
    sheet = UndoSheet(tuple(each.name for each in UPDATABLE if any(each.name in r.sent for r in restorations)))
    for restoration in restorations:
        cells = (_make_cell(restoration, FIELD_BY_NAME[name], sheet) for name in sheet.names)
        sheet.rows.append((restoration.customer_id, *cells))
    return sheet


def _make_cell(restoration: Restoration, each: Field, sheet: UndoSheet) -> str:
    if each.name not in restoration.sent:
        return ""
    before = restoration.before.get(each.name)
    text, loss = "", restoration.why_not_restorable(each.name)
    if before is not None and not loss:
        text, loss = to_cell(each, before) if before not in ("", ()) else (CLEAR, "")
    if loss:
        sheet.remarks.append(Remark(restoration.customer_id, each.name, format_value(each, before), loss))
    if text:
        sent, previous = (format_value(each, value) for value in (restoration.sent[each.name], before))
        sheet.restored.append(RestoredValue(restoration.customer_id, each.name, sent, previous))
    return text
