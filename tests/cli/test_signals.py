"""Ctrl-C, and a terminal or pipe that goes away."""

from __future__ import annotations

import signal
import subprocess
from contextlib import suppress

from tests.cli.terminal import Terminal
from tests.conftest import find_puts, finish, wait_until, write_sheet


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
