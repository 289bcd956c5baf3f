"""The hours in which rows may be sent: when they end, and how many rows the quota allows until then."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta, tzinfo

from bulkupdate.clock import Clock, format_local_time
from bulkupdate.errors import StoppedError, UsageError
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.sellercloud.rate_limit import Quota

_LOOK_SECONDS = 1.0
"""How often the clock is looked at while waiting: it may be set meanwhile, or the machine have slept."""

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)


class WindowClosedError(StoppedError):
    """The time for sending is over; the rest is sent in the next window."""


def find_end(text: str, now: float, zone: tzinfo | None = None) -> float:
    """When the wall clock next shows that time (`06:00`, `6:00:30`), in seconds since 1970; later than `now`.

    `zone` None is the machine's. In the night whose clock is put back, the first of the two 02:30 ends the window; in
    that whose clock is put forward, a time left out ends it as long before the change as it lies after it (PEP 495).
    Raises `UsageError` where it is no time of day.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--until {text!r} is no time of day.", remedy="Write it like 06:00.")
    hour, minute, second = (int(part or 0) for part in match.groups())
    at = time(hour, minute, second)
    today = datetime.fromtimestamp(now, zone).date()
    moments = (
        datetime.combine(today + timedelta(days=days), at.replace(fold=fold), zone).timestamp()
        for days in (0, 1, 2)
        for fold in (0, 1)
    )
    return min(moment for moment in moments if moment > now)


@contextmanager
def closing_at(end: float | None, stop: Cancellation, clock: Clock) -> Iterator[None]:
    """Set `stop`, with a `WindowClosedError`, once the time has come; None: it never does."""
    done = threading.Event()

    def watch() -> None:
        assert end is not None
        while (left := end - clock.now()) > 0:
            if clock.wait(min(left, _LOOK_SECONDS), done):
                return
        at = format_local_time(end, clock.now())
        stop.request_stop(
            WindowClosedError(f"The time for sending ended at {at}.", remedy="The next night goes on with the rest.")
        )

    thread = threading.Thread(target=watch, name="window", daemon=True)
    if end is not None:
        thread.start()
    try:
        yield
    finally:
        done.set()
        if end is not None:
            thread.join()


def count_fitting(quota: Quota, calls: int, end: float | None) -> int:
    """How many of so many calls the quota allows by then. Nobody else is assumed to spend from it meanwhile."""
    if end is None or quota.when_sent(calls) <= end:
        return calls
    fitting, beyond = 0, calls
    while beyond - fitting > 1:
        middle = (fitting + beyond) // 2
        if quota.when_sent(middle) <= end:
            fitting = middle
        else:
            beyond = middle
    return fitting
