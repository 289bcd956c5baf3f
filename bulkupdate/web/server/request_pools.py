"""The threads that answer requests: a pool for each kind of request, so that slow ones do not hold up the others."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

log = logging.getLogger("bulkupdate.web")

MAX_QUEUE_SECONDS = 10.0
"""How long a request may wait for a thread; then it is answered "busy"."""


@dataclass(frozen=True)
class PoolSize:
    """The limits of a pool: requests that may wait, and requests of one address that are answered at the same time."""

    threads: int
    max_queue: int
    per_address: int


VITAL, QUICK, FILES, SERVICE, SIGN_IN = "vital", "quick", "files", "service", "sign-in"

POOLS = {
    VITAL: PoolSize(threads=2, max_queue=1000, per_address=2),
    QUICK: PoolSize(threads=6, max_queue=1000, per_address=6),
    FILES: PoolSize(threads=6, max_queue=64, per_address=6),
    SERVICE: PoolSize(threads=4, max_queue=16, per_address=4),
    SIGN_IN: PoolSize(threads=8, max_queue=64, per_address=4),
}
"""Health and Stop; pages; uploads and downloads; requests that wait for the service, signing in among them."""

_ROUTES = (
    (re.compile(r"GET /(healthz|readyz)|POST /runs/[^/]+/stop"), VITAL),
    (re.compile(r"POST /sign-in"), SIGN_IN),
    (re.compile(r"POST /sheets/[^/]+/changes"), SERVICE),
    (re.compile(r"POST /sheets(/[^/]+/(start|read-as))?|POST /runs/[^/]+/retry|GET /.+\.(xlsx|csv)"), FILES),
)


def choose_pool(command: str, path: str) -> str:
    """Return the name of the pool that answers a request."""
    return next((pool for pattern, pool in _ROUTES if pattern.fullmatch(f"{command} {path}")), QUICK)


class PendingRequest(Protocol):
    """A connection with a request to answer (waitress's channel)."""

    requests: list[Any]

    def service(self) -> None:
        """Answer the first request."""

    def cancel(self) -> None:
        """Close the connection."""


@dataclass
class _Queued:
    task: PendingRequest
    address: str
    since: float


class _Pool:
    """Threads with a queue. Thread-safe."""

    def __init__(self, name: str, size: PoolSize) -> None:
        self._size = size
        self._queue: list[_Queued] = []
        self._running: Counter[str] = Counter()
        self._changed = threading.Condition()
        self._is_closed = False
        for number in range(size.threads):
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def add(self, task: PendingRequest, address: str) -> bool:
        """Queue a request; False if too many are waiting."""
        with self._changed:
            if len(self._queue) >= self._size.max_queue:
                return False
            self._queue.append(_Queued(task, address, time.monotonic()))
            self._changed.notify()
        return True

    def take_overdue(self) -> list[PendingRequest]:
        """Remove and return the requests that have waited too long."""
        before = time.monotonic() - MAX_QUEUE_SECONDS
        with self._changed:
            overdue = [queued for queued in self._queue if queued.since < before]
            self._queue = [queued for queued in self._queue if queued.since >= before]
        return [queued.task for queued in overdue]

    def close(self) -> None:
        """Close the connections that wait; what is being answered ends by itself."""
        with self._changed:
            self._is_closed = True
            for queued in self._queue:
                queued.task.cancel()
            self._queue.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while (queued := self._take()) is not None:
            try:
                queued.task.service()
            except Exception:
                log.exception("a request could not be answered")
            finally:
                with self._changed:
                    self._running[queued.address] -= 1
                    self._running += Counter()  # drops the zeros
                    self._changed.notify()

    def _take(self) -> _Queued | None:
        with self._changed:
            while not self._is_closed:
                for place, queued in enumerate(self._queue):
                    if self._running[queued.address] < self._size.per_address:
                        self._running[queued.address] += 1
                        return self._queue.pop(place)
                self._changed.wait()
        return None


class RequestPools:
    """All pools, in the form of waitress's task dispatcher. `address_of` returns the client's address of a task."""

    def __init__(self, address_of: Callable[[Any], str]) -> None:
        self._address_of = address_of
        self._pools = {name: _Pool(name, size) for name, size in POOLS.items()}

    def add_task(self, task: PendingRequest) -> None:
        """Queue the first request of a connection; if its pool is full, have it answered "busy"."""
        request = task.requests[0]
        pool = QUICK if request.error else choose_pool(request.command, request.path)
        if not self._pools[pool].add(task, self._address_of(task)):
            self._answer_busy(task)

    def answer_overdue(self) -> None:
        """Answer the requests that have waited too long with "busy"; called every few seconds."""
        for name in (SIGN_IN, SERVICE, FILES):
            for task in self._pools[name].take_overdue():
                self._answer_busy(task)

    def _answer_busy(self, task: PendingRequest) -> None:
        task.requests[0].is_busy = True
        if not self._pools[QUICK].add(task, self._address_of(task)):
            task.cancel()

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:  # noqa: ARG002  # waitress's
        """Stop all threads once they are idle."""
        for pool in self._pools.values():
            pool.close()
        return True
