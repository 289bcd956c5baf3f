"""The allowance: never exceeded, shared by processes, used to the full; throttle answers obeyed by all."""

from __future__ import annotations

import bisect
import json
import os
import subprocess
import sys
import threading

import pytest

from bulkupdate.clock import Clock
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.responses import SandboxResponse
from tests.conftest import find_puts, read_results, write_sheet
from tests.postgres import database_of
from tests.runs.in_process import Driver
from tests.warm import PROJECT


def count_most_in_a_window(sandbox, window_seconds):
    """The most requests of any kind that the service received in any window of that length."""
    times = sorted(each.at for each in sandbox.requests)
    return max(bisect.bisect_left(times, start + window_seconds) - at for at, start in enumerate(times))


def start_sender(sandbox, sheet, folder, **settings):
    database = database_of(folder / "state").reveal()
    given = json.dumps({"base_url": sandbox.base_url, "database": database, **settings})
    command = [sys.executable, "-m", "tests.runs.quota_program", str(sheet), str(folder), given]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment)


@pytest.mark.long
def test_two_processes_together_never_exceed_the_quota(make_sandbox, tmp_path):
    """Sign-ins, retries and all; the service's own count is the judge."""
    faults = {"error-503": 0.05, "cut-before": 0.05}
    sandbox = make_sandbox(requests_per_hour=60, window_seconds=3, faults=faults, throttle_status=429)
    senders = []
    for number in range(2):
        sheet = write_sheet(tmp_path / f"{number}.csv", 75, first=100_001 + 1000 * number)
        settings = {"requests_per_hour": 60, "window_seconds": 3, "concurrency": 8, "retry_wait": 0.01}
        senders.append(start_sender(sandbox, sheet, tmp_path, **settings))
    told = [json.loads(sender.communicate(timeout=60)[0]) for sender in senders]
    assert [each["counts"] for each in told] == [{"updated": 75}] * 2
    assert sandbox.counts["throttled"] == 0
    assert count_most_in_a_window(sandbox, 3) <= 60


def send_within_quota(make_sandbox, tmp_path, *, rows, quota, window_seconds):
    sandbox = make_sandbox(requests_per_hour=quota, window_seconds=window_seconds)
    driver = Driver(sandbox.base_url, tmp_path, settings={"requests_per_hour": quota}, window_seconds=window_seconds)
    waits = set()

    def watch(_outcomes, waiting):
        waits.add(waiting is not None)

    ending = driver.execute_run(driver.begin(write_sheet(tmp_path / "customers.csv", rows)), watch=watch)
    assert ending.tally.counts == {"updated": rows}
    assert sandbox.counts["throttled"] == 0, "no throttle answer"
    assert waits == {True, False}, "waiting is shown"
    assert count_most_in_a_window(sandbox, window_seconds) <= quota
    times = sorted(each.at for each in sandbox.requests)
    rounds = [later - earlier for earlier, later in zip(times, times[quota:], strict=False)]
    return window_seconds * len(rounds) / sum(rounds)  # each slot of the allowance is used again as soon as it may be


@pytest.mark.long
def test_a_quota_is_used_to_98_percent_without_a_throttle_answer(make_sandbox, tmp_path):
    assert send_within_quota(make_sandbox, tmp_path, rows=499, quota=200, window_seconds=60) >= 0.98


@pytest.mark.long
def test_a_quota_is_never_exceeded_and_used_well(make_sandbox, tmp_path):
    """A short window shows every lost tenth of a second, so a smaller share is asked for than by the longer test."""
    assert send_within_quota(make_sandbox, tmp_path, rows=389, quota=130, window_seconds=3) >= 0.9


class SoonClock(Clock):
    """Hours go by in a moment: a wait costs at most a thousandth of its seconds."""

    def __init__(self) -> None:
        self._skipped = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return super().now() + self._skipped

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        with self._lock:
            self._skipped += max(seconds, 0.0)
        return stop.wait(min(max(seconds, 0.0) / 1000, 0.01))


@pytest.mark.long
def test_12000_rows_at_10800_an_hour_wait_for_the_second_hour(tmp_path):
    """The real numbers, with a clock whose hour passes quickly for both sides."""
    from bulkupdate.sandbox.server import Sandbox
    from bulkupdate.sandbox.switches import SandboxOptions

    clock = SoonClock()
    with Sandbox(SandboxOptions(customers=12_000), clock=clock) as sandbox:
        driver = Driver(sandbox.base_url, tmp_path, clock=clock, settings={"requests_per_hour": 10_800})
        ending = driver.execute_run(driver.begin(write_sheet(tmp_path / "customers.csv", 12_000)))
        assert ending.tally.counts == {"updated": 12_000}
        assert sandbox.counts["throttled"] == 0
        assert count_most_in_a_window(sandbox, 3600) <= 10_800


@pytest.mark.parametrize(
    "fault",
    ["throttle-429", *(pytest.param(each, marks=pytest.mark.long) for each in ("throttle-409", "throttle-200"))],
)
def test_a_throttle_answer_stops_all_workers_until_its_time_and_is_no_attempt(
    make_sandbox, run_program, tmp_path, fault
):
    """One of eight in flight is told to wait 1 s: no request of anyone in those, the wait is shown, attempts stay 1."""
    plan = ScheduledFaults(writes=[None] * 20 + [fault])
    sandbox = make_sandbox(plan=plan, throttle_seconds=1, latency_seconds=0.05)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    sheet = write_sheet(tmp_path / "customers.csv", 60)
    answer = run_program("run", sheet, "--yes", "-o", tmp_path / "results.csv", concurrency=8)
    assert (answer.exit_code, answer.counts) == (0, {"updated": 60})
    assert "waiting for quota until" in answer.err
    told = next(each for each in sandbox.requests if each.fault == fault)
    later = [each.at for each in sandbox.requests if each.at > told.at + 0.2]
    assert later[0] >= told.at + 1
    assert len(find_puts(sandbox)) == 61
    assert {line["Attempts"] for line in read_results(tmp_path / "results.csv")} == {"1"}


def test_a_409_without_a_reset_time_is_an_ordinary_rejection(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(plan=lambda call: "conflict-409" if call.kind == "write" else None)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    answer = run_program("run", write_sheet(tmp_path / "customers.csv", 3), "--yes")
    assert (answer.exit_code, answer.counts) == (1, {"rejected": 3})
    assert len(find_puts(sandbox)) == 3


LONG_AHEAD = "2999-01-14T09:38:49.9856571Z"


def throttle(reset, headers=None):
    body = {"Error": "Too many requests."} | ({} if reset is None else {"RateLimitResetTime": reset})
    return SandboxResponse(429, json.dumps(body).encode(), headers=headers or {})


@pytest.mark.parametrize(
    "answer",
    [
        throttle("2001-01-14T09:38:49.9856571Z"), throttle(None),
        *(pytest.param(throttle(reset), marks=pytest.mark.long) for reset in ("in a while", 12, "", LONG_AHEAD)),
        throttle(None, {"Retry-After": "999999"}),
    ],
)  # fmt: skip
def test_a_useless_reset_time_is_waited_for_within_bounds_and_then_stops_the_run(make_sandbox, tmp_path, answer):
    """Past, missing, unreadable or years ahead: exit 4 with the time, under five requests a minute."""
    clock = SoonClock()
    sandbox = make_sandbox(plan=lambda call: answer if call.kind == "write" else None)
    driver = Driver(sandbox.base_url, tmp_path, clock=clock, settings={"concurrency": 8})
    begun = clock.now()
    ending = driver.execute_run(driver.begin(write_sheet(tmp_path / "customers.csv", 20)))
    minutes = (clock.now() - begun) / 60
    assert ending.exit_code == 4
    assert ending.tally.counts == {"not attempted": 20}
    assert ":" in str(ending.error)
    assert len(find_puts(sandbox)) <= 1 + 5 * minutes
    assert minutes < 70


def test_three_hours_ahead_stops_at_once_and_names_the_time(make_sandbox, run_program, tmp_path):
    sandbox = make_sandbox(
        plan=lambda call: "throttle-409" if call.kind == "write" else None, throttle_seconds=3 * 3600
    )
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    answer = run_program("run", write_sheet(tmp_path / "customers.csv", 20), "--yes")
    assert (answer.exit_code, answer.counts) == (4, {"not attempted": 20})
    assert "3 h 00 min" in answer.err
    assert len(find_puts(sandbox)) == 1


def test_the_allowance_survives_the_process_and_bounds_the_next(sandbox, run_program, tmp_path):
    """`doctor` shows what a run has left."""
    run_program("run", write_sheet(tmp_path / "customers.csv", 10), "--yes", requests_per_hour=100)
    answer = run_program("doctor", requests_per_hour=100)
    assert answer.exit_code == 0
    assert "88 of 100 requests left" in answer.err


class WrongClock(Clock):
    """A machine whose clock is two hours off."""

    def __init__(self, off_by_seconds: float) -> None:
        self._off_by = off_by_seconds

    def now(self) -> float:
        return super().now() + self._off_by


@pytest.mark.long
@pytest.mark.parametrize("off_by_seconds", [-7200, pytest.param(7200, marks=pytest.mark.long)])
def test_a_local_clock_two_hours_off_waits_as_long_as_a_right_one(make_sandbox, tmp_path, off_by_seconds):
    """The service's own `Date` tells how long its reset time is away."""
    sandbox = make_sandbox(plan=ScheduledFaults(writes=[None, "throttle-429"]), throttle_seconds=2)
    driver = Driver(sandbox.base_url, tmp_path, clock=WrongClock(off_by_seconds))
    ending = driver.execute_run(driver.begin(write_sheet(tmp_path / "customers.csv", 5)))
    assert ending.tally.counts == {"updated": 5}
    throttled = next(each for each in sandbox.requests if each.fault)
    after = next(each for each in sandbox.requests if each.number > throttled.number and each.at > throttled.at + 0.2)
    assert 0.9 <= after.at - throttled.at <= 5
