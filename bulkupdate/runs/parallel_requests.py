"""Run many requests that read, a limited number at once, and yield their results as they arrive."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import TypeVar

from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.rate_limit import WaitState

_Result = TypeVar("_Result")

WatchRequests = Callable[[int, WaitState | None], None]
"""Called with the number of requests that have just ended, perhaps 0, and what is waited for (None: nothing)."""

_POLL_SECONDS = 0.25
_GATHER_SECONDS = 0.01
"""How long further answers are waited for once one is there: answers that come in a burst share a batch."""


def run_parallel(
    client: Client,
    requests: Iterable[Callable[[], _Result]],
    concurrency: int,
    watch: WatchRequests,
    *,
    most_unfinished: int | None = None,
) -> Iterator[list[_Result]]:
    """Yield the results in batches, in the order they arrive.

    At most `most_unfinished` requests (None: `concurrency`) are started but not yielded, so that no more are repeated
    if the program is killed and the caller records each batch. Raises what a request raises, after the results of those
    sent by then.
    """
    remaining = iter(requests)
    ended: SimpleQueue[Future[_Result]] = SimpleQueue()
    unfinished = 0
    with ThreadPoolExecutor(concurrency, thread_name_prefix="reader") as pool:
        try:
            while True:
                for request in islice(remaining, (most_unfinished or concurrency) - unfinished):
                    pool.submit(request).add_done_callback(ended.put)
                    unfinished += 1
                if not unfinished:
                    return
                taken = _take_some(ended, unfinished)
                if any(future.exception() for future in taken):
                    pool.shutdown(cancel_futures=True)  # waits for what has been sent: none of its answers is lost
                    taken += [ended.get() for _ in range(unfinished - len(taken))]
                    taken = [future for future in taken if not future.cancelled()]
                unfinished -= len(taken)
                failed = [future for future in taken if future.exception() is not None]
                results = [future.result() for future in taken if future.exception() is None]
                watch(len(results), client.quota.waiting)
                if results:
                    yield results
                for future in failed:
                    future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _take_some(ended: SimpleQueue[Future[_Result]], unfinished: int) -> list[Future[_Result]]:
    """Return requests that have ended, none if the wait for the first is long; a failed one is not kept waiting."""
    taken: list[Future[_Result]] = []
    with suppress(Empty):
        taken.append(ended.get(timeout=_POLL_SECONDS))
        deadline = time.monotonic() + _GATHER_SECONDS
        while len(taken) < unfinished and not taken[-1].exception():
            taken.append(ended.get(timeout=max(0.0, deadline - time.monotonic())))
    return taken
