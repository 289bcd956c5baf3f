"""The only place that reads the clock or waits, so that tests can control time."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

STEP_SECONDS = 0.5
"""The longest wait of a main thread: on Windows, Ctrl-C is handled only when it is over."""


class Clock:
    """The machine's clock. Seconds are seconds since 1970 (UTC), as `time.time()` gives them."""

    def now(self) -> float:
        """Return the time in seconds since 1970. May jump when the machine's clock is set."""
        return time.time()

    def monotonic(self) -> float:
        """Return seconds since some moment; never jumps when the machine's clock is set."""
        return time.monotonic()

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Wait this number of seconds, or until `stop` is set. Return True if it was set."""
        end = self.monotonic() + seconds
        while (left := end - self.monotonic()) > STEP_SECONDS:
            if stop.wait(STEP_SECONDS):
                return True
        return stop.wait(max(0.0, left))


def format_utc(seconds: float) -> str:
    """Return ISO 8601 in UTC, to the second: `2026-01-14T09:38:49Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_utc(text: str) -> float:
    """Return a time of `format_utc` in seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def format_local_time(seconds: float, now: float) -> str:
    """Return the local time for display: `14:05`, or, if it is not today, `14:05 on 15 January`."""
    then = datetime.fromtimestamp(seconds).astimezone()
    if then.date() == datetime.fromtimestamp(now).astimezone().date():
        return then.strftime("%H:%M")
    return f"{then:%H:%M} on {then.day} {then:%B}"


def format_local_date(time: str) -> str:
    """Return a time in ISO 8601 as local date and time for display: `2026-01-14 10:38:49 CET`."""
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def format_duration(seconds: float) -> str:
    """Return a length of time for display: `45 s`, `12 min`, `3 h 05 min`, `9 h 16 min`."""
    whole = max(0, round(seconds))
    if whole < 90:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
