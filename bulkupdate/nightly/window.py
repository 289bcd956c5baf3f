"""The hours in which rows may be sent: when they end, and how many requests the quota allows by then."""

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

_POLL_SECONDS = 1.0
"""How often the clock is read while waiting, as it may be changed, or the machine may sleep."""

_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)


class WindowClosedError(StoppedError):
    """The time for sending has ended; the next night sends the rest."""


def find_end(text: str, now: float, zone: tzinfo | None = None) -> float:
    """Return when the local time is next `text` (`06:00`, `6:00:30`), in seconds since 1970 and later than `now`.

    `zone` None means the time zone of the machine. When clocks are set back, the first of the two 02:30 ends the
    window; when they are set forward, a time that is skipped ends it before the change (PEP 495). Raises `UsageError`
    if the text is not a time of day.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--until {text!r} is not a time of day.", remedy="Write it like 06:00.")
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
def close_window_at(end: float | None, stop: Cancellation, clock: Clock) -> Iterator[None]:
    """Request a stop, with a `WindowClosedError` as the reason, at the time `end`; None means never."""
    done = threading.Event()

    def watch() -> None:
        assert end is not None
        while (left := end - clock.now()) > 0:
            if clock.wait(min(left, _POLL_SECONDS), done):
                return
        at = format_local_time(end, clock.now())
        stop.request_stop(
            WindowClosedError(f"The time for sending ended at {at}.", remedy="The next night sends the rest.")
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


def count_fitting(quota: Quota, requests: int, end: float | None) -> int:
    """Return how many of `requests` the quota allows by `end`, if no other process uses it; None means no limit."""
    if end is None or quota.when_sent(requests) <= end:
        return requests
    fitting, beyond = 0, requests
    while beyond - fitting > 1:
        middle = (fitting + beyond) // 2
        if quota.when_sent(middle) <= end:
            fitting = middle
        else:
            beyond = middle
    return fitting
