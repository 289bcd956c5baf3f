"""Ask the service's e-mail filter for each key, and find out whether that filter can be used at all."""

from __future__ import annotations

from functools import partial
from itertools import count

from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.runs.matching.search_progress import SHOWN_FIELDS, Answer, SearchProgress, key_step
from bulkupdate.runs.parallel_requests import WatchRequests, run_parallel
from bulkupdate.sellercloud.client import Client

MOST_PAGES_OF_A_KEY = 3
"""A filter that finds more for one key is too broad: all pages of the list are cheaper."""


class UnusableFilterError(Exception):
    """The filter is ignored, or finds too much or too little. Stays within this package."""


def search_by_filter(client: Client, progress: SearchProgress, concurrency: int, watch: WatchRequests) -> None:
    """Ask for each key that was not asked for yet; the first alone, to see what the filter does.

    Raises `UnusableFilterError`, and what the client raises.
    """
    first, *others = progress.list_unasked() or [""]
    for keys in ([first] if first else [], others):
        requests = [partial(_ask, client, text, progress.page_size) for text in keys]
        for answers in run_parallel(client, requests, concurrency, watch):
            progress.add(answers)


def require_known(client: Client, email: str, customer_id: str) -> None:
    """Make sure that the filter finds a customer whose e-mail is known, written in other letters.

    Raises `UnusableFilterError` if it does not: then what it does not find may be there all the same.
    """
    found, _ = client.list_page(1, email=email.swapcase())
    if customer_id not in found:
        raise UnusableFilterError


def _ask(client: Client, text: str, page_size: int) -> Answer:
    found: dict[str, LiveCustomer] = {}
    for page in count(1):
        customers, total = client.list_page(page, email=text, fields=SHOWN_FIELDS)
        is_new = bool(customers.keys() - found.keys())
        found |= customers
        if page > MOST_PAGES_OF_A_KEY or not all(_has_part(live, text) for live in customers.values()):
            raise UnusableFilterError
        if not is_new or (total is not None and len(found) >= total and len(customers) < page_size):
            break
    return Answer(key_step(text), found)


def _has_part(live: LiveCustomer, text: str) -> bool:
    return text in str(live.get("Email") or "").lower()
