"""Compare checked rows with the live customers: what they already have, what would change, who does not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME
from bulkupdate.customers.models import Change, CheckedRow, Finding, Problem, Status
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import LiveCustomer, decode_body, format_value
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.runs.fetch import WatchReading, confirm_missing, count_requests, read_live
from bulkupdate.runs.live_findings import LiveFindings
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

    No sheet can hold such blanks, and services change both when they store a text.
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
    customer is not known to have already.
    """

    row: CheckedRow
    live: LiveCustomer | None
    to_send: tuple[str, ...]


def count_read_requests(rows: Iterable[CheckedRow]) -> int:
    """Return the requests that looking up these rows costs, if every customer exists."""
    return count_requests(row.fields for row in rows if row.body is not None)


def look_up(
    rows: Iterable[CheckedRow], client: Client, concurrency: int, watch: WatchReading, *, is_sure: bool
) -> Iterator[LookedUp]:
    """Look up the rows that would be sent, in their order. Raises what the client raises.

    With `is_sure` an id that the list lacks is read individually, before it counts as unknown.
    """
    remaining = (row for row in rows if row.body is not None)
    while chunk := list(islice(remaining, _ROWS_AT_A_TIME)):
        wanted = {row.customer_id: row.fields for row in chunk}
        found = dict(read_live(client, wanted, concurrency, watch))
        if is_sure:
            missing = [customer_id for customer_id, live in found.items() if live is None]
            found.update(confirm_missing(client, missing, concurrency, lambda _count, waiting: watch(0, waiting)))
        for row in chunk:
            yield _compare(row, found[row.customer_id])


def _compare(row: CheckedRow, live: LiveCustomer | None) -> LookedUp:
    if live is None:
        return LookedUp(row, None, row.fields)
    compared = compare(decode_body(row.body or "{}"), live)
    not_there = {*compared.differing, *compared.not_shown}
    kept = {name: live[name] for name in row.fields if name in live}
    return LookedUp(row, kept, tuple(name for name in row.fields if name in not_there))


def find_changes(
    rows: Callable[[], Iterable[CheckedRow]], heading: str, client: Client, concurrency: int, watch: WatchReading
) -> LiveFindings:
    """Find the value of each field before and after. `heading` is that of the ids. Raises what the client raises."""
    before = client.calls
    changes: list[Change] = []
    unknown: list[Problem] = []
    same = 0
    for each in look_up(rows(), client, concurrency, watch, is_sure=False):
        if each.live is None:
            unknown.append(describe_unknown(each.row, heading))
        same += not each.to_send
        changes += describe_changes(each)
    return LiveFindings(tuple(changes), tuple(unknown), same, client.calls - before)


def count_id_requests(rows: Iterable[CheckedRow]) -> int:
    """Return the requests that `find_unknown` costs."""
    return count_requests(() for row in rows if _has_id(row))


def find_unknown(
    rows: Callable[[], Iterable[CheckedRow]], heading: str, client: Client, concurrency: int, watch: WatchReading
) -> LiveFindings:
    """Check only whether the ids of all valid rows exist, fifty to a request. Raises what the client raises."""
    before = client.calls
    missing = set()
    remaining = (row.customer_id for row in rows() if _has_id(row))
    while chunk := list(islice(remaining, _ROWS_AT_A_TIME)):
        found = read_live(client, dict.fromkeys(chunk, ()), concurrency, watch)
        missing |= {customer_id for customer_id, live in found if live is None}
    unknown = tuple(describe_unknown(row, heading) for row in rows() if _has_id(row) and row.customer_id in missing)
    return LiveFindings(None, unknown, 0, client.calls - before)


def _has_id(row: CheckedRow) -> bool:
    return row.status is not Status.INVALID


def describe_unknown(row: CheckedRow, heading: str = CUSTOMER_ID.name) -> Problem:
    """Return the problem of a row whose customer the service does not know. `heading` is that of the ids."""
    finding = Finding.error(ProblemCode.UNKNOWN_CUSTOMER)
    return finding.at(row=row.number, customer_id=row.customer_id, column=heading, value=row.customer_id)


def describe_changes(each: LookedUp) -> Iterator[Change]:
    """Yield each field that would change."""
    if each.live is None or each.row.body is None:
        return
    wanted = decode_body(each.row.body)
    for name in each.to_send:
        field = FIELD_BY_NAME[name]
        shown = format_value(field, each.live.get(name)), format_value(field, wanted[name])
        yield Change(each.row.number, each.row.customer_id, name, *shown)
