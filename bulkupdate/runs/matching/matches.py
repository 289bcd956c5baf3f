"""Decide which customer each row of a sheet is about, from its key and the customers that have that key. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from bulkupdate.customers.models import Finding, Problem
from bulkupdate.customers.parse_result import quote
from bulkupdate.customers.problem_codes import ProblemCode

MOST_CANDIDATES = 3
"""Candidates of an ambiguous row that are shown."""


class Outcome(StrEnum):
    """How the customer of a row was found; every row has exactly one."""

    GIVEN = "id in the sheet"
    MATCHED = "matched"
    NO_MATCH = "no match"
    AMBIGUOUS = "ambiguous"
    DUPLICATE = "duplicate"
    CONFLICT = "id and key disagree"


NONE_SETTLED: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer whose key was compared and is the row's; texts are empty if they are not known."""

    customer_id: str
    name: str = ""
    business_name: str = ""
    email: str = ""

    def describe(self) -> str:
        """Return the candidate in a few words."""
        texts = filter(None, (self.name, self.business_name, self.email))
        return f"{self.customer_id} ({', '.join(texts)})" if self.name or self.business_name else self.customer_id


@dataclass(frozen=True, slots=True)
class KeyedRow:
    """A row before its customer is known. `key` is normalised, `customer_id` the normalised id; empty for a blank."""

    number: int
    key: str
    customer_id: str = ""


@dataclass(frozen=True, slots=True)
class RowMatch:
    """The outcome of a row.

    `customer_id` is empty if none is certain. `candidates` are all customers with the row's key;
    `other_row` is the first other row about the same customer, None if there is none.
    """

    number: int
    key: str
    outcome: Outcome
    customer_id: str = ""
    candidates: tuple[Candidate, ...] = ()
    other_row: int | None = None


def needed_keys(rows: Iterable[KeyedRow], *, check_ids: bool = False) -> list[str]:
    """Return the keys to be searched, without duplicates, in the order of the rows: those of rows without an id.

    With `check_ids`, those of all rows.
    """
    return list(dict.fromkeys(row.key for row in rows if row.key and (check_ids or not row.customer_id)))


def match_rows(
    rows: Sequence[KeyedRow],
    found: Mapping[str, Sequence[Candidate]],
    settled: Mapping[int, str] = NONE_SETTLED,
    *,
    check_ids: bool = False,
) -> list[RowMatch]:
    """Return the outcome of every row, in their order.

    `found` has, by key, the customers whose key is that one. An id in the sheet is taken if the key, as far as it was
    searched, does not belong to other customers only; with `check_ids`, if it belongs to that customer. `settled` has,
    by row number, the candidate that a user chose for an ambiguous row; any other id has no effect.
    """
    matches = [_match_row(row, tuple(found.get(row.key, ())), settled.get(row.number, ""), check_ids) for row in rows]
    by_customer: dict[str, list[int]] = defaultdict(list)
    for index, match in enumerate(matches):
        if match.customer_id:
            by_customer[match.customer_id].append(index)
    for indexes in by_customer.values():
        for index in indexes if len(indexes) > 1 else ():
            if matches[index].outcome is Outcome.MATCHED:
                other = indexes[1] if index == indexes[0] else indexes[0]
                matches[index] = replace(matches[index], outcome=Outcome.DUPLICATE, other_row=matches[other].number)
    return matches


def _match_row(row: KeyedRow, candidates: tuple[Candidate, ...], chosen: str, check_ids: bool) -> RowMatch:
    if not row.customer_id:
        candidates = tuple(candidate for candidate in candidates if candidate.customer_id == chosen) or candidates
    ids = [candidate.customer_id for candidate in candidates]
    if row.customer_id:
        is_conflict = row.customer_id not in ids and bool(ids or (check_ids and row.key))
        outcome = Outcome.CONFLICT if is_conflict else Outcome.GIVEN
        return RowMatch(row.number, row.key, outcome, row.customer_id, candidates)
    if not row.key or not ids:
        return RowMatch(row.number, row.key, Outcome.NO_MATCH)
    if len(ids) > 1:
        return RowMatch(row.number, row.key, Outcome.AMBIGUOUS, "", candidates)
    return RowMatch(row.number, row.key, Outcome.MATCHED, ids[0], candidates)


def describe_match(match: RowMatch, key_name: str, id_heading: str) -> Problem | None:
    """Return what is wrong with a row's match, as a problem of its id cell; None if a customer was found."""
    if match.outcome in (Outcome.GIVEN, Outcome.MATCHED):
        return None
    finding = _DESCRIPTIONS[match.outcome](match, key_name, id_heading)
    return finding.at(row=match.number, customer_id=match.customer_id, column=id_heading, value=match.customer_id)


def _describe_none(match: RowMatch, key_name: str, id_heading: str) -> Finding:
    none = f"the row has no valid {key_name} and no id"
    message = f"no customer has the {key_name} {quote(match.key)}" if match.key else none
    return Finding.error(ProblemCode.NO_MATCH, message, f"Correct the {key_name}, or fill in {id_heading}.")


def _describe_ambiguous(match: RowMatch, key_name: str, id_heading: str) -> Finding:
    shown = "; ".join(candidate.describe() for candidate in match.candidates[:MOST_CANDIDATES])
    more = f"; and {len(match.candidates) - MOST_CANDIDATES} more" if len(match.candidates) > MOST_CANDIDATES else ""
    message = f"{len(match.candidates)} customers have the {key_name} {quote(match.key)}: {shown}{more}"
    remedy = f"Fill in {id_heading} with the id of the one that is meant."
    return Finding.error(ProblemCode.AMBIGUOUS_MATCH, message, remedy)


def _describe_duplicate(match: RowMatch, key_name: str, _id_heading: str) -> Finding:
    message = f"its {key_name} is that of customer {match.customer_id}, which is in row {match.other_row} too"
    return Finding.error(ProblemCode.DUPLICATE_MATCH, message)


def _describe_conflict(match: RowMatch, key_name: str, id_heading: str) -> Finding:
    shown = ", ".join(candidate.customer_id for candidate in match.candidates[:MOST_CANDIDATES])
    message = f"the id is {match.customer_id}, but the {key_name} {quote(match.key)} is that of {shown or 'none'}"
    return Finding.error(ProblemCode.KEY_CONFLICT, message, f"Correct {id_heading} or {key_name}.")


_DESCRIPTIONS = {
    Outcome.NO_MATCH: _describe_none,
    Outcome.AMBIGUOUS: _describe_ambiguous,
    Outcome.DUPLICATE: _describe_duplicate,
    Outcome.CONFLICT: _describe_conflict,
}
