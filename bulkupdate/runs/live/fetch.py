"""Read live customers with the fewest requests: fifty at a time if the list shows all fields asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

from bulkupdate.customers.fields import UPDATABLE
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.runs.parallel_requests import run_parallel
from bulkupdate.sellercloud.client import PAGE_SIZE, Client
from bulkupdate.sellercloud.rate_limit import WaitState

LIST_FIELDS = frozenset(field.name for field in UPDATABLE if field.list_names)
"""The fields that the list answer has (`docs/api.md`, section Reading one customer)."""

LiveAnswers = list[tuple[str, LiveCustomer | None]]

WatchReading = Callable[[int, WaitState | None], None]
"""Called with the number of customers just read, maybe 0, and with what is waited for (None: nothing)."""

_READS_AHEAD = 2


def ignore_progress(_count: int, _waiting: WaitState | None) -> None:
    """Show no progress."""


def quietly(watch: WatchReading) -> WatchReading:
    """Return a watcher that shows what is waited for, without counting customers that are read again."""
    return lambda _count, waiting: watch(0, waiting)


def is_listed(names: Iterable[str]) -> bool:
    """Return whether the list answer has all of these fields."""
    return LIST_FIELDS.issuperset(names)


def count_requests(customers: Iterable[Collection[str]]) -> int:
    """Return the requests that reading these customers costs; each is given as the names of the fields needed."""
    listed = single = 0
    for names in customers:
        listed, single = (listed + 1, single) if is_listed(names) else (listed, single + 1)
    return -(-listed // PAGE_SIZE) + single


def read_live(
    client: Client,
    customers: Mapping[str, Collection[str]],
    concurrency: int,
    watch: WatchReading = ignore_progress,
) -> Iterator[tuple[str, LiveCustomer | None]]:
    """Yield the live values of each customer, None for an id that the service does not show; in any order.

    `customers` has the fields needed for each id; more may be returned. Ids missing from the list are not read again:
    see `confirm_missing`. Raises what the client raises.
    """
    listed = [customer_id for customer_id, names in customers.items() if is_listed(names)]
    reads: list[Callable[[], LiveAnswers]] = [
        partial(_read_page, client, listed[start : start + PAGE_SIZE]) for start in range(0, len(listed), PAGE_SIZE)
    ]
    reads += [
        partial(_read_one, client, customer_id) for customer_id, names in customers.items() if not is_listed(names)
    ]
    return _run_all(client, reads, concurrency, watch)


def read_each(
    client: Client, customer_ids: Iterable[str], concurrency: int, watch: WatchReading
) -> Iterator[tuple[str, LiveCustomer | None]]:
    """Yield each customer with all fields, one request each; None for an unknown id. Raises what the client raises."""
    return _run_all(
        client, (partial(_read_one, client, customer_id) for customer_id in customer_ids), concurrency, watch
    )


def confirm_missing(
    client: Client, missing: Collection[str], concurrency: int, watch: WatchReading
) -> dict[str, LiveCustomer]:
    """Read each customer individually, and return those that exist although the list left them out.

    The list may be incomplete, though that is unlikely. Raises what the client raises.
    """
    found = read_each(client, missing, concurrency, watch)
    return {customer_id: live for customer_id, live in found if live is not None}


def _run_all(
    client: Client, reads: Iterable[Callable[[], LiveAnswers]], concurrency: int, watch: WatchReading
) -> Iterator[tuple[str, LiveCustomer | None]]:
    batches = run_parallel(client, reads, concurrency, quietly(watch), most_unfinished=concurrency * _READS_AHEAD)
    for batch in batches:
        answers = [answer for found in batch for answer in found]
        watch(len(answers), None)
        yield from answers


def _read_page(client: Client, customer_ids: list[str]) -> LiveAnswers:
    found = client.list_customers(customer_ids)
    return [(customer_id, found.get(customer_id)) for customer_id in customer_ids]


def _read_one(client: Client, customer_id: str) -> LiveAnswers:
    return [(customer_id, client.read_customer(customer_id))]
