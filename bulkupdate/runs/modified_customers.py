"""Ask the service which customers were modified since a time, by anyone: fifty with a request."""

from __future__ import annotations

from functools import partial

from bulkupdate.clock import format_utc, parse_utc
from bulkupdate.errors import UnreadableListError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.fetch import WatchReading
from bulkupdate.runs.parallel_requests import run_parallel
from bulkupdate.sellercloud.client import PAGE_SIZE

MARGIN_SECONDS = 86_400.0
"""How much earlier the service is asked: its clock, ours and its time zone may differ."""


def find_modified(context: RunContext, since: str, watch: WatchReading) -> frozenset[str]:
    """Return the ids of the customers that anyone has modified since (ISO 8601, UTC), this program included.

    Raises `UnreadableListError` rather than leave one out, and what the client raises.
    """
    start = format_utc(parse_utc(since) - MARGIN_SECONDS)
    read = partial(context.client.list_page, modified_from=start, fields=())
    first, total = read(1)
    found = set(first)
    pages = [partial(read, number) for number in range(2, -(-(total or 0) // PAGE_SIZE) + 1)]
    for answers in run_parallel(
        context.client, pages, context.settings.concurrency, lambda _count, waiting: watch(0, waiting)
    ):
        found.update(*(customers for customers, _total in answers))
    if total is None or len(found) < total:
        raise UnreadableListError(
            "The service's list of modified customers is not complete.",
            remedy="Nothing was sent. Try again, or turn the setting trust_modified_filter off.",
        )
    return frozenset(found)
