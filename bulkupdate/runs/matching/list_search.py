"""Read all pages of the service's list of customers, whatever it says about their number."""

from __future__ import annotations

from functools import partial

from bulkupdate.customers.fields import Field
from bulkupdate.runs.matching.search_progress import SHOWN_FIELDS, Answer, SearchProgress, page_step
from bulkupdate.runs.parallel_requests import WatchRequests, run_parallel
from bulkupdate.sellercloud.client import Client


def read_page(client: Client, number: int, key_field: Field) -> Answer:
    """Return one page, with the fields that are compared or shown. Raises what the client raises."""
    customers, total = client.list_page(number, fields=tuple({key_field, *SHOWN_FIELDS}))
    return Answer(page_step(number), customers, total)


def search_list(client: Client, progress: SearchProgress, concurrency: int, watch: WatchRequests) -> None:
    """Read the pages that were not read yet, as many as the total says; then on, while there may be more.

    Ends with a page that has no customer that is new: some services repeat their last page for ever. Raises what the
    client raises.
    """
    seen: set[str] = set()
    field = progress.field
    requests = [partial(read_page, client, number, field) for number in progress.list_unread()]
    for answers in run_parallel(client, requests, concurrency, watch):
        progress.add(answers)
        seen.update(*(answer.customers for answer in answers))
    number = sum(step.startswith("page ") for step in progress.steps)
    while progress.may_have_more_pages():
        number += 1
        answer = read_page(client, number, field)
        watch(1, client.quota.waiting)
        if not answer.customers.keys() - seen:
            return
        seen.update(answer.customers)
        progress.add([answer])
