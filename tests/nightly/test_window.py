"""When sending ends, also in nights of a clock change, and how many requests the quota allows by then."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import UsageError
from bulkupdate.nightly.window import WindowClosedError, close_window_at, count_fitting, find_end
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.sellercloud.rate_limit import Quota

BERLIN = ZoneInfo("Europe/Berlin")  # 2026: forward on 29 March, back on 25 October


def berlin(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("now", "until", "end"),
    [
        ("2026-01-14T22:00", "06:00", "2026-01-15T06:00"),
        ("2026-01-14T02:00", "06:00", "2026-01-14T06:00"),
        ("2026-01-14T06:00", "6:00", "2026-01-15T06:00"),
        ("2026-01-14T05:59:30", "05:59:45", "2026-01-14T05:59:45"),
        ("2026-03-28T22:00", "06:00", "2026-03-29T06:00"),
        ("2026-10-24T22:00", "06:00", "2026-10-25T06:00"),
        ("2026-12-31T22:00", "06:00", "2027-01-01T06:00"),
    ],
)
def test_the_end_is_the_next_time_of_day(now: str, until: str, end: str) -> None:
    assert find_end(until, berlin(now), BERLIN) == berlin(end)


def test_nights_of_a_clock_change_are_shorter_or_longer() -> None:
    assert find_end("06:00", berlin("2026-03-28T22:00"), BERLIN) - berlin("2026-03-28T22:00") == 7 * 3600
    assert find_end("06:00", berlin("2026-10-24T22:00"), BERLIN) - berlin("2026-10-24T22:00") == 9 * 3600


def test_a_time_that_repeats_ends_the_window_at_the_next_one() -> None:
    first, second = berlin("2026-10-25T02:30"), berlin("2026-10-25T02:30", fold=1)
    assert second - first == 3600
    assert find_end("02:30", berlin("2026-10-24T22:00"), BERLIN) == first
    assert find_end("02:30", first + 60, BERLIN) == second
    assert find_end("02:30", second + 60, BERLIN) == berlin("2026-10-26T02:30")


def test_a_time_that_is_skipped_ends_the_window_that_night() -> None:
    end = find_end("02:30", berlin("2026-03-28T22:00"), BERLIN)
    assert berlin("2026-03-29T01:00") < end <= berlin("2026-03-29T03:30")


@pytest.mark.parametrize("text", ["", "6", "25:00", "06:60", "0600", "soon", "٠٦:٠٠"])
def test_an_invalid_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a time of day"):
        find_end(text, 0.0)


class JumpingClock(Clock):
    """Each wait takes exactly its time, at once."""

    def __init__(self, now: float) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        self.time += seconds
        return stop.is_set()


def test_the_window_closes_on_time_with_a_reason() -> None:
    stop = Cancellation()
    clock = JumpingClock(1000.0)
    with close_window_at(1030.0, stop, clock):
        assert stop.wait(60)
        assert clock.time == 1030.0
    assert isinstance(stop.reason, WindowClosedError)


def test_an_earlier_interrupt_is_the_reason() -> None:
    stop = Cancellation()
    stop.set()
    with close_window_at(1000.0, stop, JumpingClock(1000.0)):
        pass
    assert stop.reason is None


def test_no_thread_is_left_when_the_night_ends_early() -> None:
    stop, clock = Cancellation(), Clock()
    with close_window_at(clock.now() + 3600, stop, clock):
        pass
    assert not stop.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name == "window"]


@pytest.mark.parametrize(
    ("limit", "hours", "calls", "fitting"),
    [
        (100, 0.5, 50, 50),
        (100, 0.5, 1000, 100),
        (100, 1.5, 1000, 200),
        (100, 10.0, 1000, 1000),
        (0, 0.1, 10**6, 10**6),
        (100, -0.1, 5, 0),
        (100, 1.0, 200, 200),
        (100, 1.0, 1000, 200),
    ],
)
def test_the_requests_that_fit_the_quota_are_counted(
    tmp_path: Path, limit: int, hours: float, calls: int, fitting: int
) -> None:
    clock = JumpingClock(1_768_392_000.0)
    quota = Quota(tmp_path, "host", "user", limit, clock)
    assert count_fitting(quota, calls, clock.now() + hours * 3600) == fitting
    assert count_fitting(quota, calls, None) == calls
    quota.close()
