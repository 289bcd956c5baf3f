"""Time that tests set."""

from __future__ import annotations

import threading

from bulkupdate.clock import Clock


class ManualClock(Clock):
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        raise AssertionError("nothing here waits")
