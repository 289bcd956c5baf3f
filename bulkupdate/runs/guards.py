"""Limits on what one file may change. A file that exceeds one is refused as a whole, before anything is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.customers.payload import decode_body
from bulkupdate.errors import LimitExceededError
from bulkupdate.settings import Settings
from bulkupdate.text import SuggestedCommand, pluralize

CLEARED_VALUES = ('""', "[]")
"""A body without any of these clears no field, and need not be parsed."""

_FIELDS_SHOWN = 10


@dataclass(frozen=True)
class PlannedChanges:
    """What a file would do, counted over the rows that would be sent.

    `rows` are those of the file; `clearing` are the customers with at least one field cleared, `cleared` the number of
    customers for each such field.
    """

    rows: int = 0
    updates: int = 0
    clearing: int = 0
    cleared: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Excess:
    """How a file exceeds limits, in sentences, and the options that allow it once."""

    message: str
    options: tuple[str, ...] = ()

    def to_error(self, run_command: SuggestedCommand) -> LimitExceededError:
        """Return the error that refuses the file; `run_command` is the one that would send it without a limit."""
        return LimitExceededError(
            f"{self.message} Nothing was sent.",
            remedy=f"Check the file. If it is right, allow it once: {self.allow(run_command)}",
        )

    def allow(self, run_command: SuggestedCommand) -> SuggestedCommand:
        """Return the command with the limits raised as far as the file needs it."""
        for name, value in zip(self.options[::2], self.options[1::2], strict=True):
            run_command = run_command.set(name, value)
        return run_command


def count_changes(rows: Iterable[CheckedRow]) -> PlannedChanges:
    """Count what these rows would change; unchanged, invalid and refused rows are not sent."""
    count = updates = clearing = 0
    fields: Counter[str] = Counter()
    for row in rows:
        count += 1
        if row.status is not Status.NOT_ATTEMPTED or row.body is None:
            continue
        updates += 1
        cleared = _find_cleared(row.body)
        clearing += bool(cleared)
        fields.update(cleared)
    return PlannedChanges(count, updates, clearing, dict(fields.most_common()))


def _find_cleared(body: str) -> list[str]:
    if not any(sign in body for sign in CLEARED_VALUES):
        return []
    return [name for name, value in decode_body(body).items() if value in ("", ())]


def find_excess(changes: PlannedChanges, max_changes: ChangeLimit, max_clears: ChangeLimit) -> Excess | None:
    """Return how the changes exceed a limit; None if the file may be sent."""
    sentences, options = [], []
    rows = pluralize(changes.rows, "row")
    if changes.updates > max_changes.resolve(changes.rows):
        sentences.append(
            f"The file would update {pluralize(changes.updates, 'customer')} of its {rows}; the limit is "
            f"{max_changes.describe(changes.rows)}."
        )
        options += ["--max-changes", str(changes.updates)]
    if changes.clearing > max_clears.resolve(changes.rows):
        fields = ", ".join(f"{name} of {count:,}" for name, count in list(changes.cleared.items())[:_FIELDS_SHOWN])
        sentences.append(
            f"The file would clear fields of {pluralize(changes.clearing, 'customer')} ({fields}) in its {rows}; the "
            f"limit is {max_clears.describe(changes.rows)}."
        )
        options += ["--max-clears", str(changes.clearing)]
    return Excess(" ".join(sentences), tuple(options)) if sentences else None


def check_limits(rows: Iterable[CheckedRow], settings: Settings) -> Excess | None:
    """Return how these rows exceed the limits of the settings; without limits, the rows are not read."""
    if not (settings.max_changes or settings.max_clears):
        return None
    return find_excess(count_changes(rows), settings.max_changes, settings.max_clears)
