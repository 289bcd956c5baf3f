"""Limits on what one file may change. A file beyond a limit is refused as a whole, before anything is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.customers.payload import decode_body
from bulkupdate.errors import InputFileError
from bulkupdate.text import pluralize

_MAY_CLEAR = ('""', "[]")
"""A body without one of these clears no field: it need not be parsed."""


@dataclass
class PlannedChanges:
    """What a file would do, counted over the rows that would be sent.

    `rows` are those of the file; `clearing` are the customers with at least one field cleared, `cleared` the number of
    customers for each such field.
    """

    rows: int = 0
    updates: int = 0
    clearing: int = 0
    cleared: Counter[str] = field(default_factory=Counter)


def count_changes(rows: Iterable[CheckedRow]) -> PlannedChanges:
    """Count what these rows would change; those that are unchanged, invalid or refused are not sent."""
    counted = PlannedChanges()
    for row in rows:
        counted.rows += 1
        if row.status is not Status.NOT_ATTEMPTED or row.body is None:
            continue
        counted.updates += 1
        cleared = _find_cleared(row.body)
        counted.clearing += bool(cleared)
        counted.cleared.update(cleared)
    return counted


def _find_cleared(body: str) -> list[str]:
    if not any(sign in body for sign in _MAY_CLEAR):
        return []
    return [name for name, value in decode_body(body).items() if value in ("", ())]


def require_within_limits(changes: PlannedChanges, max_changes: ChangeLimit, max_clears: ChangeLimit) -> None:
    """Raise `InputFileError` if the file would change, or clear fields of, more customers than allowed."""
    if changes.updates > max_changes.count(changes.rows):
        raise InputFileError(
            f"The file would update {changes.updates:,} customers of its {pluralize(changes.rows, 'row')}; "
            f"the limit is {max_changes.describe(changes.rows)}. Nothing was sent.",
            remedy=f"Check the file. If it is right, allow it once with --max-changes {changes.updates}.",
        )
    if changes.clearing > max_clears.count(changes.rows):
        fields = ", ".join(f"{name} of {count:,}" for name, count in changes.cleared.most_common())
        raise InputFileError(
            f"The file would clear fields of {pluralize(changes.clearing, 'customer')} ({fields}) in its "
            f"{pluralize(changes.rows, 'row')}; the limit is {max_clears.describe(changes.rows)}. Nothing was sent.",
            remedy=f"Check the file. If it is right, allow it once with --max-clears {changes.clearing}.",
        )
