"""Time that tests set."""

from __future__ import annotations

import threading

from bulkupdate.clock import Clock


class ManualClock(Clock):
    """A clock that the test moves. `set_by` seconds is what the time of day was set forward, negative for back."""

    def __init__(self) -> None:
        self.time = 1_000_000.0
        self.set_by = 0.0

    def now(self) -> float:
        return self.time + self.set_by

    def monotonic(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        raise AssertionError("nothing here waits")
