"""Ask the service's e-mail filter for each key, and find out whether the filter is usable at all."""

from __future__ import annotations

from functools import partial
from itertools import count

from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.errors import UnreadableListError
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.search_progress import SHOWN_FIELDS, Answer, SearchProgress, key_step
from bulkupdate.runs.parallel_requests import WatchRequests, run_parallel
from bulkupdate.sellercloud.client import Client

MOST_PAGES_OF_A_KEY = 3
"""A filter that returns more for one key is too broad: reading the whole list is cheaper."""


class UnusableFilterError(Exception):
    """The filter is ignored, or finds too much or too little. Stays within this package."""


def search_by_filter(client: Client, progress: SearchProgress, concurrency: int, watch: WatchRequests) -> None:
    """Ask for each key that was not asked for yet; the first one alone and in other letters, to test the filter.

    Raises `UnusableFilterError`, and what the client raises.
    """
    first, *others = progress.list_unasked() or [""]
    ask = partial(_ask, client, progress.key, progress.page_size)
    for sent_by_key in ({first: _swap_case(first)} if first else {}, dict(zip(others, others, strict=True))):
        requests = [partial(ask, text, sent) for text, sent in sent_by_key.items()]
        for answers in run_parallel(client, requests, concurrency, watch):
            if any(_leaves_out_known(answer, progress) for answer in answers):
                raise UnusableFilterError
            progress.add(answers)
            if first in sent_by_key and any(
                _read_email(live) != sent_by_key[first] for answer in answers for live in answer.customers.values()
            ):
                progress.trust_filter()


def _swap_case(text: str) -> str:
    """Return a key in other letters, as far as that loses none: two ß would become SS."""
    return text.swapcase() if text.isascii() else text


def _leaves_out_known(answer: Answer, progress: SearchProgress) -> bool:
    """Return whether the filter does not find a customer of the key that the list has shown before."""
    text = answer.step.removeprefix(key_step(""))
    return not progress.found.get(text, {}).keys() <= answer.customers.keys()


def require_known(client: Client, email: str, customer_id: str) -> None:
    """Check that the filter finds a customer whose e-mail is known, in the opposite case.

    Raises `UnusableFilterError` if it does not: then customers that it does not find may exist nevertheless.
    """
    found, _ = _list_by_email(client, 1, email.swapcase())
    if customer_id not in found:
        raise UnusableFilterError


def _ask(client: Client, key: Key, page_size: int, text: str, sent: str) -> Answer:
    """Return the customers of a key; `sent` is the key as it is sent, which may have other letters."""
    found: dict[str, LiveCustomer] = {}
    expected = 0
    for page in count(1):
        customers, total = _list_by_email(client, page, sent)
        is_new = bool(customers.keys() - found.keys())
        found |= customers
        expected = max(expected, total or 0)
        if page > MOST_PAGES_OF_A_KEY or not all(
            text in key.normalise(_read_email(live)) for live in customers.values()
        ):
            raise UnusableFilterError
        if not is_new or (total is not None and len(found) >= total and len(customers) < page_size):
            break
    if len(found) < expected:
        raise UnusableFilterError  # it keeps customers back
    return Answer(key_step(text), found)


def _list_by_email(client: Client, page: int, email: str) -> tuple[dict[str, LiveCustomer], int | None]:
    try:
        return client.list_page(page, email=email, fields=SHOWN_FIELDS)
    except UnreadableListError:
        raise UnusableFilterError from None


def _read_email(live: LiveCustomer) -> str:
    return str(live.get("Email") or "")
