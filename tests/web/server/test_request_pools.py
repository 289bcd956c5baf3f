"""Requests are answered by a pool for their kind, or get "busy" instead of a long wait."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest

from bulkupdate.web.server import request_pools
from bulkupdate.web.server.request_pools import FILES, POOLS, QUICK, SERVICE, SIGN_IN, VITAL, RequestPools, choose_pool


@pytest.mark.parametrize(
    ("command", "path", "pool"),
    [
        ("GET", "/healthz", VITAL), ("POST", "/runs/x/stop", VITAL), ("GET", "/", QUICK), ("GET", "/sign-in", QUICK),
        ("POST", "/sign-in", SIGN_IN), ("POST", "/sheets/x/changes", SERVICE), ("POST", "/sheets", FILES),
        ("POST", "/sheets/x/start", FILES), ("GET", "/runs/x/results.xlsx", FILES), ("GET", "/runs/x/progress", QUICK),
    ],
)  # fmt: skip
def test_each_kind_of_request_has_its_pool(command: str, path: str, pool: str) -> None:
    assert choose_pool(command, path) == pool


class Connection:
    """A connection whose request lasts until `end` is set."""

    def __init__(self, path: str, end: threading.Event, command: str = "POST", address: str = "a") -> None:
        self.requests: list[Any] = [SimpleNamespace(command=command, path=path, error=None, is_busy=False)]
        self.address = address
        self.started = threading.Event()
        self._end = end

    def service(self) -> None:
        self.started.set()
        if not self.requests[0].is_busy:
            self._end.wait(20)

    def cancel(self) -> None:
        self.requests.clear()


@pytest.fixture
def pools():
    made = RequestPools(lambda connection: connection.address)
    yield made
    made.shutdown()


def test_sign_ins_at_a_slow_service_hold_nothing_else_up(pools: RequestPools) -> None:
    end = threading.Event()
    for _ in range(64):
        pools.add_task(Connection("/sign-in", end))
    stop = Connection("/runs/x/stop", end)
    page = Connection("/", end, "GET")
    for connection in (stop, page):
        pools.add_task(connection)
        assert connection.started.wait(1)
    end.set()


def test_one_address_takes_half_of_the_sign_ins_at_most(pools: RequestPools) -> None:
    end = threading.Event()
    greedy = [Connection("/sign-in", end, address="greedy") for _ in range(20)]
    for connection in greedy:
        pools.add_task(connection)
    other = Connection("/sign-in", end, address="other")
    pools.add_task(other)
    assert other.started.wait(1)
    assert sum(connection.started.is_set() for connection in greedy) == POOLS[SIGN_IN].per_address
    end.set()


def test_what_waits_for_too_long_or_finds_the_queue_full_is_told_busy(
    pools: RequestPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = threading.Event()
    size = POOLS[SERVICE]
    connections = [Connection("/sheets/x/changes", end) for _ in range(size.threads + size.max_queue + 1)]
    for connection in connections:
        pools.add_task(connection)
        time.sleep(0.002)
    assert connections[-1].requests[0].is_busy
    monkeypatch.setattr(request_pools, "MAX_QUEUE_SECONDS", 0.0)
    pools.answer_overdue()
    assert sum(connection.requests[0].is_busy for connection in connections) == size.max_queue + 1
    end.set()
