"""Run many requests that read, a limited number at once, and yield their results as they arrive."""

from __future__ import annotations

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
                taken = _take_all(ended, _POLL_SECONDS)
                if any(future.exception() for future in taken):
                    pool.shutdown(cancel_futures=True)  # waits for what has been sent: none of its answers is lost
                    taken = [future for future in taken + _take_all(ended, 0) if not future.cancelled()]
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


def _take_all(ended: SimpleQueue[Future[_Result]], seconds: float) -> list[Future[_Result]]:
    """Return the requests that have ended; wait up to this many seconds for the first."""
    taken = []
    with suppress(Empty):
        taken.append(ended.get(timeout=seconds))
        while True:
            taken.append(ended.get_nowait())
    return taken
