"""Match the rows of a sheet with customers, by a lookup sheet or by a search of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bulkupdate.errors import UsageError
from bulkupdate.runs.matching.key import KEY_OPTION, Key
from bulkupdate.runs.matching.keyed_sheet import KeyedSheet
from bulkupdate.runs.matching.live_key import LiveKey, make_live_key
from bulkupdate.runs.matching.matches import (
    MOST_CANDIDATES,
    NONE_SETTLED,
    Candidate,
    Outcome,
    RowMatch,
    describe_match,
    match_rows,
    needed_keys,
)
from bulkupdate.spreadsheets.reading.sheet import Sheet
from bulkupdate.text import pluralize


@dataclass(frozen=True)
class FoundCustomers:
    """The customers of each key, by the normalised key.

    `notes` are about them, for the user; `requests` were needed to find them. `is_looked_up`: they are those
    of a lookup sheet.
    """

    customers: Mapping[str, Sequence[Candidate]]
    notes: tuple[str, ...] = ()
    requests: int = 0
    is_looked_up: bool = False


FindCustomers = Callable[[Key, Sequence[str]], FoundCustomers]
"""Finds the customers of these normalised keys, which have no duplicates."""


@dataclass(frozen=True)
class MatchedSheet:
    """A sheet whose rows were matched: `sheet` has the ids filled in, and a problem for each row without one.

    `is_id_added`: the file has no column of ids, and `sheet` has it after the file's own. `requests` were needed.
    `is_looked_up`: the customers were found in a lookup sheet.
    """

    sheet: Sheet
    key: Key
    key_heading: str
    is_id_added: bool
    matches: tuple[RowMatch, ...]
    notes: tuple[str, ...]
    requests: int
    is_looked_up: bool

    def count(self) -> dict[Outcome, int]:
        """Count the rows by outcome, without outcomes that no row has."""
        outcomes = [match.outcome for match in self.matches]
        return {outcome: outcomes.count(outcome) for outcome in Outcome if outcome in outcomes}

    def describe_counts(self) -> str:
        """Return a line with the number of rows of each outcome."""
        counts = ", ".join(f"{count:,} {outcome.value}" for outcome, count in self.count().items())
        return f"Customers found by {self.key_heading}: {pluralize(len(self.matches), 'row')}: {counts}."

    def list_lines(self) -> Iterator[tuple[str | int, ...]]:
        """Yield row, key, outcome, id, and a candidate with its texts; up to three lines if there are more of them."""
        for match in self.matches:
            for candidate in match.candidates[:MOST_CANDIDATES] or [Candidate("")]:
                shown = (candidate.customer_id, candidate.name, candidate.business_name, candidate.email)
                start = (match.key, match.outcome.value, match.customer_id)
                yield match.number, *start, *shown

    def find_live_key(self, headings: Sequence[str]) -> LiveKey | None:
        """Return how keys are compared with live customers, None if they are not. `headings` are the file's own.

        A key of a lookup sheet is not compared, nor are names: the service's list shows them in two parts.
        """
        field = None if self.is_looked_up else self.key.field
        is_comparable = field is not None and field.type.is_text and len(field.list_names) <= 1
        return make_live_key(field.name if field and is_comparable else "", self.key_heading, headings)

    def explain(self, match: RowMatch) -> str:
        """Say in a few words how the customer of a row was found, or why it was not."""
        if match.outcome is Outcome.GIVEN:
            return "the id is the sheet's own"
        if match.outcome is Outcome.MATCHED:
            candidate = match.candidates[0]
            shown = ", ".join(filter(None, (candidate.name, candidate.business_name, candidate.email)))
            return f"found by {self.key_heading}" + (f": {shown}" if shown else "")
        problem = describe_match(match, self.key_heading, "CustomerId")
        return problem.message if problem else ""


def match_sheet(
    keyed: KeyedSheet, find: FindCustomers, *, check_ids: bool = False, settled: Mapping[int, str] = NONE_SETTLED
) -> MatchedSheet:
    """Find the customer of every row that has no id of its own; with `check_ids`, compare those ids with the keys too.

    `settled` has, by row number, the customers that a user chose for ambiguous rows. Raises what `find` raises.
    """
    rows = keyed.list_rows()
    found = find(keyed.key, needed_keys(rows, check_ids=check_ids))
    matches = match_rows(rows, found.customers, settled, check_ids=check_ids)
    is_id_added = keyed.sheet.header.key_column is None
    filled = keyed.fill_in(matches)
    return MatchedSheet(
        filled,
        keyed.key,
        keyed.key_heading,
        is_id_added,
        tuple(matches),
        found.notes,
        found.requests,
        found.is_looked_up,
    )


def require_lookup(key: Key, keys: Sequence[str]) -> FoundCustomers:
    """Find nothing: for places that do not search the service. Raises `UsageError` if there is a key to be searched."""
    if keys:
        raise UsageError(
            f"{KEY_OPTION} {key.name} needs a search of the service, which is not made here.",
            remedy="Give a lookup sheet, or fill in the ids first: `bulkupdate match`.",
        )
    return FoundCustomers({})
