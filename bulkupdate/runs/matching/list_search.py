"""Read all pages of the service's list of customers, whatever it says about their number."""

from __future__ import annotations

from functools import partial

from bulkupdate.customers.fields import Field
from bulkupdate.errors import UnreadableListError
from bulkupdate.runs.matching.search_progress import SHOWN_FIELDS, Answer, SearchProgress, page_step
from bulkupdate.runs.parallel_requests import WatchRequests, run_parallel
from bulkupdate.sellercloud.client import Client


def read_page(client: Client, number: int, key_field: Field) -> Answer:
    """Return one page, with the fields that are compared or shown. Raises what the client raises."""
    customers, total = client.list_page(number, fields=tuple({key_field, *SHOWN_FIELDS}))
    return Answer(page_step(number), customers, total)


def search_list(client: Client, progress: SearchProgress, concurrency: int, watch: WatchRequests) -> None:
    """Read the unread pages, as many as the total says; then more, while there may be any.

    Ends with a page without a new customer, as some services repeat their last page forever. Raises what the client
    raises.
    """
    seen: set[str] = set()
    field = progress.field
    requests = [partial(read_page, client, number, field) for number in progress.list_unread()]
    for answers in run_parallel(client, requests, concurrency, watch):
        progress.add(answers)
        seen.update(*(answer.customers for answer in answers))
    number = progress.count_read()
    while progress.may_have_more_pages():
        number += 1
        answer = read_page(client, number, field)
        watch(1, client.quota.waiting)
        if not answer.customers.keys() - seen:
            break
        seen.update(answer.customers)
        progress.add([answer])
    _require_no_gap(progress, number)


def _require_no_gap(progress: SearchProgress, last: int) -> None:
    """Raise `UnreadableListError` if a page without customers comes before one with some: customers were kept back."""
    sizes = [progress.steps.get(page_step(number), 0) for number in range(1, last + 1)]
    filled = [index for index, size in enumerate(sizes) if size]
    if filled and not all(sizes[: filled[-1]]):
        raise UnreadableListError(
            f"Page {sizes.index(0) + 1} of the service's list of customers is empty, though customers follow.",
            remedy="Nothing was sent. Try again later, or match with --lookup.",
        )
