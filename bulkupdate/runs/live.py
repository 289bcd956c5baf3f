"""Reading live customers at the least cost: fifty to a call where the list answer has all that is asked, else one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bulkupdate.customers.fields import UPDATABLE
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.service.client import PAGE_SIZE, Client

LIST_FIELDS = frozenset(field.name for field in UPDATABLE if field.list_names)
"""The fields that the list answer has (API sheet, section 4)."""

LiveAnswers = list[tuple[str, LiveCustomer | None]]


def is_listed(names: Iterable[str]) -> bool:
    """Whether the list answer has all of these fields."""
    return LIST_FIELDS.issuperset(names)


def count_calls(customers: Iterable[Collection[str]]) -> int:
    """The calls that reading customers costs, each given by the names of the fields wanted of it."""
    listed = single = 0
    for names in customers:
        listed, single = (listed + 1, single) if is_listed(names) else (listed, single + 1)
    return -(-listed // PAGE_SIZE) + single


def read_live(
    client: Client, customers: Mapping[str, Collection[str]], concurrency: int
) -> Iterator[tuple[str, LiveCustomer | None]]:
    """Each customer's live values, None for an id the service does not know; not in the order asked.

    `customers` gives, by id, the fields wanted of it; more may come. Raises what the client raises.
    """
    listed = [customer_id for customer_id, names in customers.items() if is_listed(names)]
    reads: list[Callable[[], LiveAnswers]] = [
        partial(_read_page, client, listed[start : start + PAGE_SIZE]) for start in range(0, len(listed), PAGE_SIZE)
    ]
    reads += [partial(_read_one, client, each) for each, names in customers.items() if not is_listed(names)]
    with ThreadPoolExecutor(concurrency, thread_name_prefix="reader") as pool:
        try:
            for answers in pool.map(lambda read: read(), reads):
                yield from answers
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _read_page(client: Client, customer_ids: list[str]) -> LiveAnswers:
    found = client.list_customers(customer_ids)
    return [(customer_id, found.get(customer_id)) for customer_id in customer_ids]


def _read_one(client: Client, customer_id: str) -> LiveAnswers:
    return [(customer_id, client.read_customer(customer_id))]
