"""On a terminal: the plan, the question, the bar; and a terminal or pipe that goes away."""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.conftest import find_puts, finish, write_sheet
from tests.runs.test_stopping import wait_until

fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))


class Terminal:
    """A call of the program whose stdin and stderr are a terminal."""

    def __init__(self, program, *arguments):
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bulkupdate", *map(str, arguments)], cwd=program.folder, env=program.environment,
            stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        self.shown = ""

    def read_until(self, is_enough: Callable[[str], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not is_enough(self.shown) and time.monotonic() < end:
            if not select.select([self._own], [], [], 0.2)[0]:
                continue
            try:
                self.shown += os.read(self._own, 4096).decode()
            except OSError:  # the other side is closed
                return

    def type(self, text: str) -> None:
        os.write(self._own, text.encode())

    def finish(self) -> int:
        self.read_until(lambda _: False)
        return self.process.wait(30)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._own)


@pytest.fixture
def ask(run_program, sandbox, tmp_path):
    """A run of 30 rows on a terminal, as far as its question."""
    terminal = Terminal(run_program, "run", write_sheet(tmp_path / "customers.csv", 30))
    terminal.read_until(lambda shown: "[y/N]" in shown)
    yield terminal
    terminal.process.kill()
    terminal.process.communicate()
    terminal.close()


def test_the_plan_is_shown_before_the_question_and_no_sends_nothing(ask, sandbox):
    assert "30 customers" in ask.shown
    assert "31 calls" in ask.shown
    assert "expected end" in ask.shown
    assert not sandbox.requests
    ask.type("n\n")
    assert ask.finish() == 3
    assert "Nothing was sent" in ask.shown
    assert not sandbox.requests


def test_yes_sends_and_shows_a_bar(ask, sandbox):
    ask.type("y\n")
    assert ask.finish() == 0
    assert "30/30 rows" in ask.shown
    assert len(find_puts(sandbox)) == 30


def test_ctrl_c_at_the_question_is_an_interruption_with_nothing_sent(ask, sandbox):
    for _ in range(20):  # Python drops an interrupt that comes while it tidies up
        ask.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            ask.process.wait(1)
            break
    assert ask.finish() == 130
    assert not sandbox.requests


def test_a_closed_terminal_stops_the_run_well(make_sandbox, run_program, tmp_path):
    """What is in flight is recorded, results are written: as with Ctrl-C."""
    sandbox = make_sandbox(latency_seconds=0.1)
    run_program.environment |= {"BULKUPDATE_BASE_URL": sandbox.base_url, "BULKUPDATE_CONCURRENCY": "2"}
    terminal = Terminal(run_program, "run", write_sheet(tmp_path / "customers.csv", 60), "--yes")
    wait_until(lambda: len(find_puts(sandbox)) > 5)
    terminal.close()
    terminal.process.send_signal(signal.SIGHUP)
    assert terminal.process.wait(30) == 130
    shown = run_program("show")
    assert shown.counts == {"updated": len(find_puts(sandbox)), "not attempted": 60 - len(find_puts(sandbox))}
    assert shown.told["results"]


def test_a_reader_who_goes_away_does_not_stop_the_run(run_program, sandbox, tmp_path):
    """`2>&1 | head -1`: the rows go out all the same."""
    process = run_program.start("run", write_sheet(tmp_path / "customers.csv", 30), "--yes", json=False)
    process.stderr.close()
    process.stderr = None
    assert finish(process).exit_code == 0
    assert len(find_puts(sandbox)) == 30


@pytest.mark.parametrize("command", [("run", "customers.csv", "--yes"), ("resume",), ("doctor",)])
def test_a_wait_before_the_first_row_is_shown_with_its_end(run_program, sandbox, tmp_path, command):
    """The quota is used up: without a word, the program would look hung for up to an hour."""
    sheet = write_sheet(tmp_path / "customers.csv", 4)
    assert run_program("run", sheet, "--yes", "--limit", 2, requests_per_hour=3).counts["updated"] == 2
    process = run_program.start(*command, requests_per_hour=3)
    shown = ""
    while "waiting for quota until" not in shown and (line := process.stderr.readline()):
        shown += line
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert "waiting for quota until" in shown
