"""Runs that are repeated, side by side, in threads and in processes: nothing is sent twice."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import bulkupdate
from bulkupdate.errors import BusyError, UsageError
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import Program, find_puts, wait_until
from tests.python_api.frames import FIRST, make_frame
from tests.runs.killing import KILLED
from tests.warm import WarmProcess, WarmProgram

SEND = """
import bulkupdate, os, pandas as pd, sys
from bulkupdate.errors import BusyError
try:
    frame = pd.DataFrame({{"CustomerId": range(100_001, 100_001 + {rows}), "Name": "x"}})
    print(bulkupdate.run(frame, run_key="{key}").run_id)
except BusyError:
    print("busy")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_run_key_continues_or_returns_the_same_run_and_never_sends_twice(
    settings: bulkupdate.Settings, sandbox: Sandbox
) -> None:
    frame = make_frame(20)
    stop = threading.Event()
    first = bulkupdate.run(
        frame, settings=settings, run_key="dag 1", stop=stop, on_progress=lambda _done, _total: stop.set()
    )
    assert (first.state, first.exit_code) == ("stopped", 130)
    second = bulkupdate.run(frame.copy(), settings=settings, run_key="dag 1")
    third = bulkupdate.run(frame, settings=settings, run_key="dag 1")
    assert (second.run_id, third.run_id) == (first.run_id, first.run_id)
    assert third.counts == second.counts == {"updated": 20}
    assert len(find_puts(sandbox)) == 20
    with pytest.raises(UsageError, match="dag 1"):
        bulkupdate.run(make_frame(19), settings=settings, run_key="dag 1")


def test_an_exception_of_on_progress_ends_the_call_and_the_key_continues(
    settings: bulkupdate.Settings, sandbox: Sandbox
) -> None:
    def fail(_done: int, _total: int) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        bulkupdate.run(make_frame(20), settings=settings, run_key="k", on_progress=fail)
    assert bulkupdate.run(make_frame(20), settings=settings, run_key="k").counts == {"updated": 20}
    assert len(find_puts(sandbox)) == 20


def test_two_calls_with_one_key_do_not_send_side_by_side(settings: bulkupdate.Settings, sandbox: Sandbox) -> None:
    def send(_: int) -> object:
        try:
            return bulkupdate.run(make_frame(30), settings=settings, run_key="k").run_id
        except BusyError:
            return None

    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(send, range(4))) - {None}
    assert len(ids) == 1
    assert len(find_puts(sandbox)) == 30


def test_threads_send_different_frames_at_the_same_time(settings: bulkupdate.Settings, sandbox: Sandbox) -> None:
    begin = threading.Barrier(8)

    def send(number: int) -> Any:
        records = [{"CustomerId": FIRST + number * 10 + at, "Name": f"thread {number}"} for at in range(10)]
        begin.wait(30)
        return bulkupdate.run(records, settings=settings)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(send, range(8)))
    assert [each.counts for each in results] == [{"updated": 10}] * 8
    assert [each.results["CustomerId"].iloc[0] for each in results] == [str(FIRST + number * 10) for number in range(8)]
    assert len({each.run_id for each in results}) == 8
    assert Counter(find_puts(sandbox)) == Counter(str(FIRST + at) for at in range(80))
    assert sandbox.customer(FIRST + 79)["Name"] == "thread 7"


def start(program: Program, code: str) -> WarmProcess:
    """Begin a program that sends 30 rows under the key `k` and then executes `code`."""
    return program.fork(patch=f"{SEND.format(key='k', rows=30)}{code}\nsys.stdout.flush(); os._exit(0)")


def test_two_processes_with_one_key_send_once(run_program: Program, sandbox: Sandbox) -> None:
    processes = [start(run_program, "") for _ in range(2)]
    told = {process.communicate()[0].strip() for process in processes}
    assert len(told - {"busy"}) == 1
    assert Counter(find_puts(sandbox)) == Counter(str(FIRST + at) for at in range(30))


def test_an_interrupt_ends_the_call_and_all_it_does_and_the_key_continues(
    settings: bulkupdate.Settings, make_sandbox: Any, tmp_path: Path, warm_program: WarmProgram
) -> None:
    """As that of a notebook's kernel, which lives on."""
    sandbox = make_sandbox(latency_seconds=0.1)
    process = start(
        Program(sandbox.base_url, tmp_path, warm_program), "import threading; print(threading.active_count())"
    )
    wait_until(lambda: len(find_puts(sandbox)) >= 10)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[0].split() == ["interrupted", "1"]
    assert len(find_puts(sandbox)) < 30
    again = bulkupdate.run(make_frame(30, Name="x"), settings=replace(settings, base_url=sandbox.base_url), run_key="k")
    assert again.counts == {"updated": 30}
    assert len(find_puts(sandbox)) == 30


@pytest.mark.parametrize("step", [pytest.param(9, marks=pytest.mark.long), 71])
def test_after_a_kill_the_key_continues_and_sends_again_only_what_was_in_flight(
    settings: bulkupdate.Settings, sandbox: Sandbox, run_program: Program, step: int
) -> None:
    rows = 6
    event, code = 5, KILLED
    while code == KILLED:
        before, key = len(sandbox.requests), f"killed at {event}"
        patch = f"{SEND.format(key=key, rows=rows)}\nos._exit(0)"
        environment = run_program._add_settings({"concurrency": 2})
        code = run_program._warm.call(run_program.folder, environment, kill_at=event, patch=patch)
        again = bulkupdate.run(make_frame(rows, Name="x"), settings=settings, run_key=key)
        assert again.counts == {"updated": rows}, event
        times = Counter(find_puts(sandbox, after=before))
        assert len(times) == rows, event
        assert sum(times.values()) <= rows + 2, event
        event += step
    assert event > 150, "the events must cover the run"


FIRST_USE = """
import bulkupdate, threading, time
failures = []
def use(number):
    time.sleep(0.03 * number)
    try:
        bulkupdate.runs()
    except BaseException as error:
        failures.append(error)
threads = [threading.Thread(target=use, args=(number,)) for number in range(30)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failures, failures
"""


def test_threads_may_be_the_first_to_use_the_functions(run_program: Program) -> None:
    """While one of them loads `bulkupdate.runs`, the package, `runs` is the function for all."""
    done = run_program.start_code(FIRST_USE)
    assert (done.wait(60), done.stderr.read()) == (0, "")
