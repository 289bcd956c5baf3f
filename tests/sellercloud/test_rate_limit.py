"""The allowance: never exceeded in any window, shared by processes, kept over restarts, used up well."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import StoppedError, ThrottledTooLongError
from bulkupdate.sellercloud.rate_limit import BLIND_WAITS_SECONDS, LONGEST_WAIT_SECONDS, Quota, WaitState, plan_pause
from bulkupdate.sellercloud.rate_limit_store import Permit, PermitRefusal
from bulkupdate.store.quota_file import QUOTA_NAME
from tests.postgres import database_of, only_files, place_of
from tests.sellercloud.scripted import TurnedClock

STOP = threading.Event()  # never set
HOST = "xx.api.sellercloud.com"


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


@pytest.fixture
def opened() -> Iterator[list[Quota]]:
    quotas: list[Quota] = []
    yield quotas
    for quota in quotas:
        quota.close()


@pytest.fixture
def make(tmp_path: Path, clock: TurnedClock, opened: list[Quota]) -> Any:
    def make(limit: int = 10, *, host: str = HOST, username: str = "ops", clock: Clock = clock, **more: Any) -> Quota:
        quota = Quota(place_of(tmp_path), host, username, limit, clock, **more)
        opened.append(quota)
        return quota

    return make


def spend(quota: Quota, times: int = 1, *, settle: bool = True) -> list[Permit]:
    grants = []
    for _ in range(times):
        permit = quota.spend(STOP)
        assert permit is not None
        grants.append(permit)
        if settle:
            quota.release(permit, answered=True)
    return grants


def most_in_any_window(times: list[float], seconds: float) -> int:
    """The most moments in any window of that length: the judge."""
    ordered, most, first = sorted(times), 0, 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def test_twelve_thousand_requests_never_exceed_10800_in_any_60_minutes(make: Any, clock: TurnedClock) -> None:
    """Check 23, on a turned clock: a burst of the whole hour, then the wait, then the rest."""
    quota, times = make(10_800), []
    for _ in range(12_000):
        [permit] = spend(quota, settle=False)
        times.append(clock.now())
        clock.advance(0.02)
        quota.release(permit, answered=True)
    assert most_in_any_window(times, 3600) == 10_800
    assert times[10_799] - times[0] < 300, "an unused hour is spent in a burst"
    assert times[10_800] - times[0] < 3605, "the first slot that comes free is used"


def test_a_steady_pace_is_never_held_back(make: Any, clock: TurnedClock) -> None:
    quota = make(100)
    for _ in range(300):
        spend(quota)
        clock.advance(3600 / 99)
    assert clock.waits == []


def test_a_slot_counts_from_the_end_of_its_request(make: Any, clock: TurnedClock) -> None:
    """The service may receive a request as late as at its end; the window is counted there."""
    quota = make(1)
    [permit] = spend(quota, settle=False)
    clock.advance(40)
    quota.release(permit, answered=True)
    end = clock.now()
    spend(quota)
    assert end + 3601.5 <= clock.now() <= end + 3602, "clocks may drift by 500 ppm"


@pytest.mark.parametrize("of_another", [{}, {"request_seconds": 30}])
def test_a_request_whose_process_died_keeps_its_slot_for_a_window_after_its_latest_end(
    make: Any, clock: TurnedClock, of_another: dict[str, int]
) -> None:
    spend(make(1, request_seconds=30), settle=False)
    start = clock.now()
    spend(make(1, **of_another))
    assert start + 3600 + 3 * 30 < clock.now() < start + 3600 + 3 * 30 + 8


def test_the_allowance_outlives_the_program(make: Any, clock: TurnedClock) -> None:
    first = make(10)
    spend(first, 7)
    first.close()
    assert make(10).capacity().free == 3


def test_it_is_kept_for_each_host_and_user(make: Any) -> None:
    spend(make(10), 7)
    assert make(10, host=HOST.upper(), username="OPS").capacity().free == 3
    assert make(10, username="other").capacity().free == 10
    assert make(10, host="yy.api.sellercloud.us").capacity().free == 10


def test_without_a_limit_nothing_waits(make: Any, clock: TurnedClock) -> None:
    quota = make(0)
    spend(quota, 500)
    assert clock.waits == []
    assert quota.capacity().free is None
    assert quota.when_sent(10**9) == clock.now()


def test_a_lowered_limit_holds_at_once(make: Any, clock: TurnedClock) -> None:
    quota = make(10)
    for _ in range(10):
        spend(quota)
        clock.advance(10)
    started = clock.now()
    lower = make(3)
    assert lower.capacity().free == 0
    spend(lower)
    assert clock.now() == pytest.approx(started + 3600 - 30, abs=5), "the eighth slot must be free"


def test_room_and_estimate_count_whole_windows(make: Any, clock: TurnedClock) -> None:
    quota = make(10)
    spend(quota, 4)
    now = clock.now()
    assert (quota.capacity().free, quota.capacity().free_at) == (6, now)
    assert quota.when_sent(6) == now
    assert quota.when_sent(7) == pytest.approx(now + 3600, abs=3)
    assert quota.when_sent(10) == pytest.approx(now + 3600, abs=3)
    assert quota.when_sent(17) == pytest.approx(now + 7200, abs=3)
    assert quota.when_sent(0) == now


def test_room_is_counted_up_to_what_is_needed(make: Any, clock: TurnedClock) -> None:
    quota = make(10)
    assert (quota.capacity(3).free, quota.capacity(3).free_at) == (3, clock.now())
    spend(quota, 8)
    assert [quota.capacity(most).free for most in (1, 2, 3, None)] == [1, 2, 2, 2]
    clock.advance(60)
    assert (quota.capacity(3).free, quota.capacity(3).free_at) == (2, clock.now())
    spend(quota, 2)
    assert (quota.capacity().free, quota.capacity(1).free) == (0, 0)
    assert quota.capacity().free_at == pytest.approx(clock.now() + 3600 - 60, abs=3)
    assert quota.when_sent(1) == pytest.approx(clock.now() + 3600 - 60, abs=3)
    assert quota.when_sent(9) == pytest.approx(clock.now() + 3600, abs=3)


def test_a_request_sent_before_its_quota_was_known_counts_even_if_none_is_left(make: Any, clock: TurnedClock) -> None:
    quota = make(2, window_seconds=60)
    quota.record(3)
    assert (quota.capacity().free, clock.waits) == (0, [])
    spend(quota)
    assert 60 < sum(clock.waits) < 61
    without = make(0, username="other")
    without.record(2)
    assert without.capacity().free is None


def test_a_permit_that_came_after_the_stop_is_given_back(make: Any) -> None:
    """Such as from a database that was out of reach until then."""
    stop = threading.Event()

    class Stopping(TurnedClock):
        def now(self) -> float:
            stop.set()
            return super().now()

    clock = Stopping()
    quota = make(1, clock=clock)
    assert quota.spend(stop) is None
    clock.advance(1)  # a database may be a moment behind
    assert quota.capacity().free == 1


def test_a_throttling_that_comes_while_waiting_is_seen(make: Any) -> None:
    seen: list[WaitState | None] = []

    class Throttling(TurnedClock):
        def wait(self, seconds: float, stop: threading.Event) -> bool:
            seen.append(quota.waiting)
            if len(seen) == 1:
                other.throttle(in_flight, 30.0)
            return super().wait(seconds, stop)

    clock = Throttling()
    quota, other = (make(2, clock=clock, window_seconds=60) for _ in range(2))
    spend(quota)
    [in_flight] = spend(other, settle=False)
    spend(quota)
    assert [each.throttled for each in seen[:3] if each] == [False, True, True]
    assert all(0 < seconds <= 1 for seconds in clock.waits)
    assert quota.waiting is None


def test_what_is_waited_for_can_be_seen(make: Any) -> None:
    seen: list[WaitState | None] = []

    class Watching(TurnedClock):
        def wait(self, seconds: float, stop: threading.Event) -> bool:
            seen.append(quota.waiting)
            return super().wait(seconds, stop)

    clock = Watching()
    quota = make(1, clock=clock)
    spend(quota)
    free_at = quota.capacity().free_at
    spend(quota)
    assert seen[0] == WaitState(pytest.approx(free_at, abs=0.2), throttled=False)  # type: ignore[arg-type]  # a float
    assert quota.waiting is None


def test_a_stop_ends_the_waiting(make: Any) -> None:
    quota, stop = make(1, clock=Clock()), threading.Event()
    spend(quota)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(quota.spend, stop) for _ in range(4)]
        stop.set()
        assert [each.result(timeout=5) for each in waiting] == [None] * 4


def test_a_clock_set_back_does_not_lock_the_allowance(make: Any, clock: TurnedClock) -> None:
    quota = make(2)
    spend(quota, 2)
    clock.advance(-7200)
    before = clock.now()
    spend(quota)
    assert 3500 < clock.now() - before < 3700


@pytest.mark.parametrize("ahead", [600.0, 86_400.0, 400 * 86_400.0])
def test_a_pause_written_while_the_clock_was_ahead_is_no_longer_than_was_asked_for(
    make: Any, clock: TurnedClock, ahead: float
) -> None:
    """It does not move along with the clock either: another process that looks later waits no longer."""
    quota, other = make(10), make(10)
    clock.advance(ahead)
    [permit] = spend(quota, settle=False)
    quota.throttle(permit, 30.0)
    clock.advance(-ahead)
    now = clock.now()
    assert other.capacity().free_at == pytest.approx(now + 30, abs=0.2)
    clock.advance(20)
    assert make(10).capacity().free_at == pytest.approx(now + 30, abs=0.2)
    spend(other)
    assert now + 30 < clock.now() < now + 32


def test_throttlings_before_and_after_a_clock_was_set_back_still_end_the_run(make: Any, clock: TurnedClock) -> None:
    quota = make(0)
    clock.advance(86_400)
    [permit] = spend(quota, settle=False)
    quota.throttle(permit, None)
    clock.advance(-86_400)

    def throttle_again() -> None:
        for _ in range(100):
            [permit] = spend(quota, settle=False)
            quota.throttle(permit, None)

    with pytest.raises(ThrottledTooLongError):
        throttle_again()


# --- throttling -------------------------------------------------------------------------------------------------------


def test_a_throttling_stops_every_process_until_the_time(make: Any, clock: TurnedClock) -> None:
    """Check 19; the allowance counts as used up until then."""
    quota, other = make(10), make(10)
    [permit] = spend(quota, settle=False)
    now = clock.now()
    quota.throttle(permit, 120.0)
    assert other.capacity().free == 0
    assert other.capacity().free_at == pytest.approx(now + 120, abs=0.2)
    spend(other)
    assert now + 120 < clock.now() < now + 121


def test_after_a_throttling_one_request_tries_and_the_others_wait_for_its_answer(make: Any, clock: TurnedClock) -> None:
    quota = make(0)
    [permit] = spend(quota, settle=False)
    quota.throttle(permit, 1.0)
    clock.advance(2)
    [probe] = spend(quota, settle=False)
    refused = quota._store.take(clock.now())
    assert isinstance(refused, PermitRefusal)
    quota.release(probe, answered=True)
    spend(quota, 5, settle=False)


def test_a_probe_without_an_answer_lets_the_next_one_try(make: Any, clock: TurnedClock) -> None:
    quota = make(0)
    quota.throttle(*spend(quota, settle=False), 1.0)
    clock.advance(2)
    [probe] = spend(quota, settle=False)
    quota.release(probe, answered=False)
    [second] = spend(quota, settle=False)
    assert second.is_probe
    quota.cancel_permit(second)
    assert spend(quota)[0].is_probe
    assert not any(each.is_probe for each in spend(quota, 2, settle=False))
    assert clock.waits == []


def test_requests_that_wait_for_the_probe_ask_often_and_show_the_pause(make: Any) -> None:
    seen: list[WaitState | None] = []

    class Watching(TurnedClock):
        def wait(self, seconds: float, stop: threading.Event) -> bool:
            seen.append(quota.waiting)
            if len(self.waits) == 20:
                quota.release(probe, answered=True)
            return super().wait(seconds, stop)

    clock = Watching()
    quota = make(0, clock=clock)
    quota.throttle(*spend(quota, settle=False), 1.0)
    clock.advance(2)
    [probe] = spend(quota, settle=False)
    spend(quota)
    assert {round(seconds, 3) for seconds in clock.waits} == {0.05}, "twenty times a second"
    assert {each.throttled for each in seen if each} == {True}
    assert len({each.until for each in seen if each}) == 1


def test_a_pause_ends_at_its_moment_and_holds_without_a_limit_too(make: Any, clock: TurnedClock) -> None:
    quota = make(0)
    quota.throttle(*spend(quota, settle=False), 9.9)
    assert quota.capacity().free is None
    for end in (quota.capacity().free_at, quota.when_sent(5)):
        assert end == pytest.approx(clock.now() + 10, abs=0.2)
    while clock.now() < (end := quota.capacity().free_at):
        clock.advance(end - clock.now())
    assert quota.capacity().free_at == quota.when_sent(0) == clock.now()
    spend(quota)
    assert clock.waits == []


def test_a_throttled_request_has_ended_and_counts_for_a_window_from_then(make: Any, clock: TurnedClock) -> None:
    quota = make(1)
    start = clock.now()
    quota.throttle(*spend(quota, settle=False), 1.0)
    clock.advance(2)
    assert quota.capacity().free_at == pytest.approx(start + 3600 * 1.0005, abs=0.2)


@pytest.mark.parametrize(("later", "pause"), [(0, 30), (599, 30), (601, 15)])
def test_throttlings_ten_minutes_apart_are_not_consecutive(
    make: Any, clock: TurnedClock, later: float, pause: float
) -> None:
    quota = make(0)
    quota.throttle(*spend(quota, settle=False), None)
    clock.advance(15 + later)
    quota.throttle(*spend(quota, settle=False), None)
    assert quota.capacity().free_at == pytest.approx(clock.now() + pause, abs=0.2)


def test_an_answered_probe_ends_the_throttling(make: Any, clock: TurnedClock) -> None:
    quota = make(0)
    for _ in range(2):
        quota.throttle(*spend(quota, settle=False), None)
        assert quota.capacity().free_at == pytest.approx(clock.now() + 15, abs=0.2)
        clock.advance(15.01)
        spend(quota)


def test_the_probe_of_a_dead_process_blocks_nobody_for_long(make: Any, clock: TurnedClock) -> None:
    dead = make(0, request_seconds=1)
    dead.throttle(*spend(dead, settle=False), 1.0)
    clock.advance(2)
    spend(dead, settle=False)
    before = clock.now()
    spend(make(0, request_seconds=1))
    assert clock.now() - before < 15


def test_answers_under_way_when_the_pause_began_are_the_same_news(make: Any, clock: TurnedClock) -> None:
    quota = make(0)
    grants = spend(quota, 8, settle=False)
    now = clock.now()
    for permit in grants:
        quota.throttle(permit, None)
    spend(quota)
    assert clock.now() - now == pytest.approx(BLIND_WAITS_SECONDS[0], abs=2)


def test_useless_reset_times_are_waited_out_longer_and_longer_then_end_the_run(make: Any, clock: TurnedClock) -> None:
    """Check 21: fewer than five requests a minute."""
    quota, asked = make(0), []

    def ask() -> None:
        [permit] = spend(quota, settle=False)
        asked.append(clock.now())
        quota.throttle(permit, None)

    for _ in BLIND_WAITS_SECONDS:
        ask()
    with pytest.raises(ThrottledTooLongError, match="without a usable time") as caught:
        ask()
    assert most_in_any_window(asked, 60) < 5
    assert asked[-1] - asked[0] == pytest.approx(sum(BLIND_WAITS_SECONDS), abs=10)
    assert caught.value.exit_code == 4
    with pytest.raises(ThrottledTooLongError):
        quota.spend(STOP)
    fresh = make(0)
    before = clock.now()
    assert fresh.spend(STOP) is not None, "the next program may try, once"
    assert clock.now() - before <= 121


@pytest.mark.parametrize(
    ("wait", "until"),
    [
        (3 * 3600.0, r"until \d\d:\d\d( on 15 January)? \(3 h 00 min\)"),
        (10 * 365 * 86_400.0, r"until \d\d:\d\d on \d+ January \(87600 h 00 min\)"),
        (10 * 365 * 86_400.0 + 1, "for more than ten years"),
        (1e15, "for more than ten years"),
    ],
)
def test_too_long_a_wait_ends_the_run_at_once_and_names_the_time(
    make: Any, clock: TurnedClock, wait: float, until: str
) -> None:
    quota, other = make(0), make(0)
    sentence = rf"^The service asks at \d\d:\d\d to wait {until} before the next request\.$"
    with pytest.raises(ThrottledTooLongError, match=sentence):
        quota.throttle(*spend(quota, settle=False), wait)
    assert other.capacity().free_at == pytest.approx(clock.now() + 120, abs=0.2), "others are held back for two minutes"


def test_reset_times_that_are_never_kept_end_the_run(make: Any, clock: TurnedClock) -> None:
    quota, start = make(0), clock.now()

    def ask_for_ever() -> None:
        while True:
            quota.throttle(*spend(quota, settle=False), 1.0)

    with pytest.raises(ThrottledTooLongError):
        ask_for_ever()
    assert LONGEST_WAIT_SECONDS < clock.now() - start < LONGEST_WAIT_SECONDS + 200


def test_a_pause_of_long_ago_is_forgotten(make: Any, clock: TurnedClock) -> None:
    quota = make(0)
    for _ in range(3):
        quota.throttle(*spend(quota, settle=False), None)
    clock.advance(4000)
    now = clock.now()
    quota.throttle(*spend(quota, settle=False), None)
    spend(quota)
    assert clock.now() - now < 20


def test_the_plan_of_pauses() -> None:
    assert [plan_pause(n, None, 0) for n in (1, 2, 3, 4, 5)] == [15, 30, 60, 120, None]
    assert [plan_pause(n, 2.0, 0) for n in (1, 2, 3, 4, 9)] == [2.1, 2.1, 15, 30, 120]
    assert [plan_pause(n, 2.0, 0) for n in (5, 6, 7)] == [60, 120, 120]
    assert [plan_pause(n, 0.5, 0) for n in (1, 2, 3)] == [0.6, 0.6, 15]
    assert [plan_pause(9, wait, 0) for wait in (119.0, 130.0)] == [120, 130.1]
    assert plan_pause(1, 3600.0, 0) == 3600.1
    assert [plan_pause(1, wait, 0) for wait in (3900.0, 3900.5)] == [3900.1, None]
    assert [plan_pause(1, 2.0, so_far) for so_far in (3900.0, 3900.5)] == [2.1, None]


# --- the file ---------------------------------------------------------------------------------------------------------


@only_files
def test_the_file_is_the_owners_alone_and_names_nobody(make: Any, tmp_path: Path) -> None:
    quota = make(10, username="anna@example.com")
    spend(quota, 3)
    for file in tmp_path.iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert b"anna" not in file.read_bytes()


@only_files
def test_a_damaged_file_stops_with_a_sentence(make: Any, tmp_path: Path) -> None:
    (tmp_path / QUOTA_NAME).write_bytes(b"no database at all, and long enough to be looked at" * 50)
    with pytest.raises(StoppedError, match="damaged") as caught:
        make(10)
    assert caught.value.remedy is not None
    assert (tmp_path / QUOTA_NAME).exists(), "it is kept"


@only_files
def test_a_file_of_a_newer_version_stops(make: Any, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / QUOTA_NAME) as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    with pytest.raises(StoppedError, match="another version"):
        make(10)


@only_files
def test_a_file_that_is_held_stops_with_a_sentence(make: Any, tmp_path: Path) -> None:
    quota = make(10)
    quota._store.file._database.connection.execute("PRAGMA busy_timeout = 50")
    holder = sqlite3.connect(tmp_path / QUOTA_NAME, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoppedError, match="locked"):
        quota.spend(STOP)
    holder.close()
    spend(quota)


def test_a_folder_that_cannot_be_made_stops_with_a_sentence(make: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoppedError, match="cannot be created"):
        Quota(tmp_path / "file" / "state", HOST, "ops", 10, Clock())


_CHILD = """
import sys, threading, time
from pathlib import Path
from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.sellercloud.rate_limit import Quota
folder, limit, window, share = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
quota = Quota(Secret(folder) if "://" in folder else Path(folder), "h", "u", limit, Clock(), window_seconds=window)
stop, lock = threading.Event(), threading.Lock()
left = share
def work():
    global left
    while True:
        with lock:
            if not left:
                return
            left -= 1
        permit = quota.spend(stop)
        received = time.time()   # a service would stamp it between leave and end
        quota.release(permit, answered=True)
        sys.stdout.write(f'{received}\\n'); sys.stdout.flush()
threads = [threading.Thread(target=work) for _ in range(4)]
[each.start() for each in threads]
[each.join() for each in threads]
quota.close()
"""


def _name_place(folder: Path) -> str:
    return database_of(folder).reveal() or str(folder)


def test_two_processes_together_never_exceed_it_and_use_it_well(tmp_path: Path) -> None:
    """Never more than allowed in a window of 4 s, and at least 98 % of it used."""
    limit, window, windows = 200, 4.0, 1
    command = [
        sys.executable,
        "-c",
        _CHILD,
        _name_place(tmp_path),
        str(limit),
        str(window),
        str((limit * windows + 2) // 2),
    ]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    times = sorted(float(line) for child in children for line in child.communicate(timeout=60)[0].split())
    assert len(times) == limit * windows + 2
    assert most_in_any_window(times, window) <= limit
    assert windows * window / (times[limit * windows] - times[0]) >= 0.98


def test_slots_spent_by_a_killed_process_stay_spent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _CHILD, _name_place(tmp_path), "50", "3600", "1000"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(20):
        child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    quota = Quota(place_of(tmp_path), "h", "u", 50, Clock())
    free = quota.capacity().free
    quota.close()
    assert free is not None
    assert free <= 30


def test_processes_that_start_at_once_all_get_the_file(tmp_path: Path) -> None:
    """Making the file and switching it to WAL is the one moment SQLite does not wait for a lock."""
    at = time.time() + 0.5
    command = [sys.executable, "-c", f"import time\ntime.sleep(max(0, {at} - time.time()))\n{_CHILD}"]
    command += [_name_place(tmp_path), "1000", "3600", "20"]
    children = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [child.wait(timeout=60) for child in children] == [0] * 4
    quota = Quota(place_of(tmp_path), "h", "u", 1000, Clock())
    assert quota.capacity().free == 920
    quota.close()


def queue_up(
    quota: Quota, threads: ThreadPoolExecutor, stop: threading.Event, count: int
) -> list[Future[Permit | None]]:
    """Let so many threads ask for a permit; call with the turnstile held."""
    asking = [threads.submit(quota.spend, stop) for _ in range(count)]
    deadline = time.monotonic() + 300
    while quota._queued < count and time.monotonic() < deadline:
        time.sleep(0.001)
    assert quota._queued == count
    return asking


def test_threads_that_wait_for_each_other_get_their_permits_in_few_transactions(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    quota, sizes = make(10), []
    take = quota._store.take
    monkeypatch.setattr(quota._store, "take", lambda now, most: sizes.append(most) or take(now, most))
    with ThreadPoolExecutor(8) as threads:
        with quota._turnstile:
            asking = queue_up(quota, threads, STOP, 8)
        slots = {permit.slot for each in asking if (permit := each.result()) is not None}
    assert sizes == [8]
    assert len(slots) == 8
    assert quota.capacity().free == 2


def test_no_more_permits_are_taken_at_once_than_are_free(make: Any, clock: TurnedClock) -> None:
    quota = make(5)
    granted = quota._store.take(clock.now(), 8)
    assert len({permit.slot for permit in granted}) == 5
    assert isinstance(quota._store.take(clock.now(), 8), PermitRefusal)


def test_permits_taken_for_others_are_given_back_if_the_run_stops(make: Any, clock: TurnedClock) -> None:
    quota, stop = make(10), threading.Event()
    with ThreadPoolExecutor(4) as threads:
        with quota._turnstile:
            asking = queue_up(quota, threads, stop, 4)
            quota._take(stop)
            stop.set()
        assert [each.result() for each in asking] == [None] * 4
    clock.advance(1)  # the clock of a database is known to a moment
    assert quota.capacity().free == 10


def test_permits_taken_for_others_are_given_back_if_the_service_throttles(make: Any, clock: TurnedClock) -> None:
    quota = make(10)
    [permit] = spend(quota, settle=False)
    quota._queued = 3
    quota._take(STOP)
    quota._queued = 0
    quota.throttle(permit, 5.0)
    clock.advance(6)
    assert quota.capacity().free == 9
    assert spend(quota)[0].is_probe
