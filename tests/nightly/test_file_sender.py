"""The plan of a file: how many rows can be sent at the speed of the service and within the quota."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.nightly.night_folders import FIRST, NightEnvironment, sheet

SECONDS = 100.0
"""How long the windows are; no night here lasts until its end."""


class PlanReader(logging.Handler):
    """Keeps the plans that are logged, and stops the night at the last one of `count`."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 1
        self.plans: list[str] = []
        self.stop = Cancellation()

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("plan: "):
            self.plans.append(record.getMessage())
            if len(self.plans) == self.count:
                self.stop.set()

    @property
    def fitting(self) -> int:
        return int(self.plans[-1].split("about ")[1].split()[0].replace(",", ""))


@pytest.fixture
def reader(caplog: pytest.LogCaptureFixture) -> Iterator[PlanReader]:
    caplog.set_level("INFO", LOGGER.name)
    reading = PlanReader()
    LOGGER.addHandler(reading)
    yield reading
    LOGGER.removeHandler(reading)


@pytest.mark.parametrize(("quota", "fits"), [(50, 49), (1, 0), (0, 100)])
def test_the_plan_is_limited_by_the_quota(env: NightEnvironment, reader: PlanReader, quota: int, fits: int) -> None:
    env.given |= {"requests_per_hour": quota, "concurrency": 64}
    env.put("a.csv", sheet(range(FIRST, FIRST + 100)))
    assert env.night(end=Clock().now() + SECONDS, stop=reader.stop) is ExitCode.INTERRUPTED
    assert reader.fitting == fits
    assert reader.plans[0].startswith("plan: 100 rows to send, about ")
    assert reader.plans[0].endswith("(at the usual speed, within the quota)")


def test_the_plan_is_limited_by_the_time_left(env: NightEnvironment, reader: PlanReader) -> None:
    """The quota allows all of them, but a service that needs 0.25 s a request does not: 400 in 100 s."""
    env.given["concurrency"] = 1
    env.put("a.csv", sheet(range(FIRST, FIRST + 1_000)))
    env.night(end=Clock().now() + SECONDS, stop=reader.stop)
    assert reader.fitting in range(300, 401)


def test_the_speed_of_a_file_is_the_measure_for_the_next(tmp_path: Path, reader: PlanReader) -> None:
    reader.count = 2
    with Sandbox(SandboxOptions(customers=2_000, latency_seconds=0.01)) as sandbox:
        env = NightEnvironment(tmp_path, sandbox, {"concurrency": 1})
        env.put("a.csv", sheet(range(FIRST, FIRST + 30)), age=60)
        env.put("b.csv", sheet(range(FIRST + 100, FIRST + 9_100)))
        env.night(end=Clock().now() + SECONDS, stop=reader.stop)
    assert reader.plans[0].endswith("(at the usual speed, within the quota)")
    assert reader.plans[1].endswith("(at the speed of the last file, within the quota)")
    assert reader.fitting > 401  # what the usual speed allows


def test_the_speed_of_a_small_file_is_no_measure(env: NightEnvironment, reader: PlanReader) -> None:
    reader.count = 2
    env.put("a.csv", sheet([FIRST]), age=60)
    env.put("b.csv", sheet([FIRST + 1]))
    env.night(stop=reader.stop)
    assert reader.plans[1].endswith("(at the usual speed, within the quota)")


@pytest.mark.parametrize(("rows", "hours"), [(9, 1), (10, 2)])
def test_the_expected_end_counts_the_sign_in(env: NightEnvironment, reader: PlanReader, rows: int, hours: int) -> None:
    env.given["requests_per_hour"] = 5
    env.put("a.csv", sheet(range(FIRST, FIRST + rows)))
    now = Clock().now()
    env.night(stop=reader.stop)
    end = datetime.fromisoformat(reader.plans[0].split("expected end ")[1].split()[0]).timestamp()
    assert hours * 3600 - 1 <= end - now < hours * 3600 + 1800


def test_without_an_end_the_plan_says_when_all_is_sent(env: NightEnvironment, reader: PlanReader) -> None:
    env.put("a.csv", sheet([FIRST]))
    assert env.night(stop=reader.stop) is ExitCode.INTERRUPTED
    assert reader.plans[0].startswith("plan: 1 row to send, expected end 20")
