"""Compare checked rows with the live customers: what they already have, what would change, which do not exist."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from bulkupdate.chunks import in_chunks
from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME
from bulkupdate.customers.models import Change, CheckedRow, Finding, Problem, Status
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import LiveCustomer, decode_body, format_value
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.customers.write_policy import find_kept
from bulkupdate.runs.live.fetch import WatchReading, confirm_missing, count_requests, quietly, read_live
from bulkupdate.runs.live.live_findings import LiveFindings
from bulkupdate.runs.matching.live_key import LiveKey
from bulkupdate.sellercloud.client import Client

_ROWS_AT_A_TIME = 2000


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """The fields whose live value differs from the wanted one, and those that the service does not show."""

    differing: tuple[str, ...]
    not_shown: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether the customer is known to have every wanted value."""
        return not self.differing and not self.not_shown


def compare(wanted: Mapping[str, Value], live: Mapping[str, Value | None]) -> FieldComparison:
    """Compare the fields of `wanted`; those that only `live` has are ignored."""
    not_shown = tuple(name for name in wanted if name not in live)
    differing = tuple(name for name in wanted if name in live and not is_same(wanted[name], live[name]))
    return FieldComparison(differing, not_shown)


def is_same(wanted: Value | None, live: Value | None) -> bool:
    """Return whether two values are equal, apart from blanks at the ends and the kind of line break.

    No sheet can hold such blanks, and services may change both when storing a text.
    """
    if isinstance(wanted, str) and isinstance(live, str):
        return _unify(wanted) == _unify(live)
    return wanted == live


def _unify(text: str) -> str:
    return text.strip().replace("\r\n", "\n").replace("\r", "\n")


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A row and its customer.

    `live` holds the fields of the row that the service shows, None: no such customer. `to_send` are the fields that the
    customer is not known to have already. `conflict` says that the customer has another key than the row, None: it
    does not, or that is not known.
    """

    row: CheckedRow
    live: LiveCustomer | None
    to_send: tuple[str, ...]
    conflict: Problem | None = None

    def protect(self, guarded: Collection[str]) -> LookedUp:
        """Return this without the guarded fields that are not known to be empty."""
        if self.live is None or not guarded:
            return self
        kept = find_kept(self.to_send, self.live, guarded)
        return replace(self, to_send=tuple(name for name in self.to_send if name not in kept))

    def find_problem(self, heading: str = CUSTOMER_ID.name) -> Problem | None:
        """Return why the row cannot be sent, None if it can. `heading` is that of the ids."""
        return _describe_unknown(self.row, heading) if self.live is None else self.conflict


def count_read_requests(rows: Iterable[CheckedRow]) -> int:
    """Return the requests that looking up these rows costs, if every customer exists."""
    return count_requests(row.fields for row in rows if row.body is not None)


def look_up(
    rows: Iterable[CheckedRow],
    client: Client,
    concurrency: int,
    watch: WatchReading,
    *,
    live_key: LiveKey | None,
    is_sure: bool,
) -> Iterator[LookedUp]:
    """Look up the rows that would be sent, in their order. Raises what the client raises.

    `live_key` is how their keys are compared, None: not. With `is_sure` an id that the list lacks is read individually,
    before it counts as unknown.
    """
    for chunk in in_chunks((row for row in rows if row.body is not None), _ROWS_AT_A_TIME):
        wanted = {row.customer_id: row.fields for row in chunk}
        found = dict(read_live(client, wanted, concurrency, watch))
        if is_sure:
            missing = [customer_id for customer_id, live in found.items() if live is None]
            found.update(confirm_missing(client, missing, concurrency, quietly(watch)))
        for row in chunk:
            yield _compare(row, found[row.customer_id], live_key)


def _compare(row: CheckedRow, live: LiveCustomer | None, live_key: LiveKey | None) -> LookedUp:
    if live is None:
        return LookedUp(row, None, row.fields)
    compared = compare(decode_body(row.body or "{}"), live)
    not_there = {*compared.differing, *compared.not_shown}
    kept = {name: live[name] for name in row.fields if name in live}
    conflict = live_key.find_conflict(row.number, row.customer_id, row.original, live) if live_key else None
    return LookedUp(row, kept, tuple(name for name in row.fields if name in not_there), conflict)


def find_changes(
    rows: Iterable[CheckedRow],
    heading: str,
    live_key: LiveKey | None,
    client: Client,
    concurrency: int,
    watch: WatchReading,
    guarded: Collection[str] = (),
) -> LiveFindings:
    """Find the value of each field before and after. `heading` is that of the ids. Raises what the client raises.

    `guarded` fields only change if they are empty.
    """
    before = client.calls
    changes: list[Change] = []
    problems: list[Problem] = []
    same = 0
    for found in look_up(rows, client, concurrency, watch, live_key=live_key, is_sure=False):
        looked_up = found.protect(guarded)
        if problem := looked_up.find_problem(heading):
            problems.append(problem)
        else:
            same += not looked_up.to_send
            changes += describe_changes(looked_up)
    return LiveFindings(tuple(changes), tuple(problems), same, client.calls - before)


def count_id_requests(rows: Iterable[CheckedRow]) -> int:
    """Return the requests that `find_unknown` costs."""
    return count_requests(() for row in rows if _has_id(row))


def find_unknown(
    rows: Iterable[CheckedRow],
    heading: str,
    live_key: LiveKey | None,
    client: Client,
    concurrency: int,
    watch: WatchReading,
) -> LiveFindings:
    """Check only the ids and keys of all valid rows, fifty to a request. Raises what the client raises."""
    before = client.calls
    problems: list[Problem | None] = []
    for chunk in in_chunks(filter(_has_id, rows), _ROWS_AT_A_TIME):
        found = dict(read_live(client, {row.customer_id: () for row in chunk}, concurrency, watch))
        compared = (_compare(row, found[row.customer_id], live_key) for row in chunk)
        problems += (customer.find_problem(heading) for customer in compared)
    return LiveFindings(None, tuple(filter(None, problems)), 0, client.calls - before)


def _has_id(row: CheckedRow) -> bool:
    return row.status is not Status.INVALID


def _describe_unknown(row: CheckedRow, heading: str) -> Problem:
    finding = Finding.error(ProblemCode.UNKNOWN_CUSTOMER)
    return finding.at(row=row.number, customer_id=row.customer_id, column=heading, value=row.customer_id)


def describe_changes(looked_up: LookedUp) -> Iterator[Change]:
    """Yield each field that would change."""
    if looked_up.live is None or looked_up.conflict or looked_up.row.body is None:
        return
    wanted = decode_body(looked_up.row.body)
    for name in looked_up.to_send:
        field = FIELD_BY_NAME[name]
        shown = format_value(field, looked_up.live.get(name)), format_value(field, wanted[name])
        yield Change(looked_up.row.number, looked_up.row.customer_id, name, *shown)
