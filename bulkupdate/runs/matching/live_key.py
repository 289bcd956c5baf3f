"""Compare the key of a row with that of its live customer, whenever that customer is read anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.customers.models import Finding, Problem, mark_refused
from bulkupdate.customers.parse_result import quote
from bulkupdate.customers.payload import LiveCustomer, format_value
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.runs.matching.key import Key

_REMEDY = "Correct the id or the key; without a key, the id counts."


@dataclass(frozen=True)
class LiveKey:
    """The customer field that a key column means, by name, the column's heading, and its place in the file's own."""

    field: str
    heading: str
    column: int

    def find_conflict(self, number: int, customer_id: str, cells: Sequence[str], live: LiveCustomer) -> Problem | None:
        """Return what is wrong if the customer has another key than the row; None if not, or if either is not known.

        `number` is the row's, `cells` are its own.
        """
        field = FIELD_BY_NAME[self.field]
        normalise = Key(self.field, field).normalise
        if self.field not in live or not cells[self.column].strip():
            return None
        held = format_value(field, live[self.field])
        if normalise(held) == normalise(cells[self.column]):
            return None
        message = f"customer {customer_id} has {quote(held) if held else 'none'}, not {quote(cells[self.column])}"
        finding = Finding.error(ProblemCode.KEY_CONFLICT, message, _REMEDY)
        return finding.at(number, customer_id, self.heading, cells[self.column])

    def mark(self, cells: Sequence[str], message: str) -> tuple[str, ...]:
        """Return the cells of a row with the key marked, so that the row is refused until its key is corrected."""
        return (*cells[: self.column], mark_refused(cells[self.column], message), *cells[self.column + 1 :])


def make_live_key(field: str, heading: str, headings: Sequence[str]) -> LiveKey | None:
    """Return what was kept of a live key; None if `field` is empty. `headings` are the file's own."""
    return LiveKey(field, heading, headings.index(heading)) if field else None
