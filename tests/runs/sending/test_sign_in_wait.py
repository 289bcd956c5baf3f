"""Signing in may wait for the quota: what is waited for is reported, and the wait can be interrupted."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from bulkupdate.errors import SignInRefusedError
from bulkupdate.runs.sending.sign_in_wait import sign_in
from bulkupdate.sellercloud.rate_limit import WaitState

QUOTA = WaitState(1_800_000_000.0, throttled=False)


class WaitingClient:
    """Waits for quota until the event is set, and is then refused or signed in."""

    def __init__(self, free: threading.Event, error: Exception | None = None) -> None:
        self._free = free
        self._error = error
        self.quota: Any = self
        self.waiting = QUOTA

    def sign_in(self) -> None:
        assert self._free.wait(30)
        if self._error:
            raise self._error


def test_what_is_waited_for_is_reported_until_the_service_has_answered() -> None:
    free, told = threading.Event(), []

    def watch(waiting: WaitState | None) -> None:
        told.append(waiting)
        free.set()

    client: Any = WaitingClient(free)
    sign_in(client, threading.Event(), watch)
    assert set(told) == {QUOTA}
    free.clear()
    client = WaitingClient(free, SignInRefusedError("no"))
    with pytest.raises(SignInRefusedError, match="no"):
        sign_in(client, threading.Event(), watch)


def test_an_interruption_stops_the_wait_and_is_passed_on() -> None:
    def interrupt(_waiting: WaitState | None) -> None:
        raise KeyboardInterrupt

    stop = threading.Event()
    client: Any = WaitingClient(stop)
    with pytest.raises(KeyboardInterrupt):
        sign_in(client, stop, interrupt)
    assert stop.is_set()
