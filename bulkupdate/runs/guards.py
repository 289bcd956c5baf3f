"""Limits on what one file may change. A file beyond a limit is refused as a whole, before anything is sent."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.customers.payload import decode_body
from bulkupdate.errors import InputFileError
from bulkupdate.text import pluralize

_LIMIT = re.compile(r"([0-9]{1,10})|([0-9]{1,3}(?:\.[0-9]{1,6})?)\s?%")
_MAY_CLEAR = ('""', "[]")
"""A body without one of these clears no field: it need not be parsed."""


@dataclass(frozen=True, slots=True)
class ChangeLimit:
    """The most customers that one file may update, or clear fields of: a number, or a percentage of its rows."""

    text: str
    customers: int | None = None
    percent: float | None = None

    @classmethod
    def parse(cls, text: str) -> ChangeLimit:
        """Return the limit for `500`, `20%` or `none`. Raises `ValueError` for any other text."""
        found = _LIMIT.fullmatch(text.strip())
        if text.strip().casefold() == "none":
            return cls("none")
        if not found or (found[2] and float(found[2]) > 100):
            raise ValueError(f"{text!r} is neither a number, nor a percentage such as 20%, nor none")
        return cls(found[0], int(found[1]) if found[1] else None, float(found[2]) if found[2] else None)

    def allows(self, customers: int, rows: int) -> bool:
        """Return whether a file of `rows` rows may change this number of customers."""
        return customers <= self.count(rows)

    def count(self, rows: int) -> float:
        """Return the number of customers for a file of `rows` rows; infinite without a limit."""
        if self.customers is not None:
            return self.customers
        return math.inf if self.percent is None else rows * self.percent / 100


NO_LIMIT = ChangeLimit("none")


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
    if not max_changes.allows(changes.updates, changes.rows):
        raise InputFileError(
            f"The file would update {changes.updates:,} customers of its {pluralize(changes.rows, 'row')}; "
            f"the limit is {_describe(max_changes, changes.rows)}. Nothing was sent.",
            remedy=f"Check the file. If it is right, allow it once with --max-changes {changes.updates}.",
        )
    if not max_clears.allows(changes.clearing, changes.rows):
        fields = ", ".join(f"{name} of {count:,}" for name, count in changes.cleared.most_common())
        raise InputFileError(
            f"The file would clear fields of {pluralize(changes.clearing, 'customer')} ({fields}) in its "
            f"{pluralize(changes.rows, 'row')}; the limit is {_describe(max_clears, changes.rows)}. Nothing was sent.",
            remedy=f"Check the file. If it is right, allow it once with --max-clears {changes.clearing}.",
        )


def _describe(limit: ChangeLimit, rows: int) -> str:
    count = f"{math.floor(limit.count(rows)):,}"
    return count if limit.percent is None else f"{limit.text} ({count})"
