"""The progress bar, and the wait before the first row."""

from __future__ import annotations

import re
import signal

import pytest

from bulkupdate.runs.sending.phases import Phase
from tests.cli.terminal import Terminal
from tests.conftest import find_puts, wait_until, write_sheet


def test_yes_sends_and_shows_a_bar(ask, sandbox):
    ask.type("y\n")
    assert ask.finish() == 0
    assert "30/30 rows" in ask.shown
    assert len(find_puts(sandbox)) == 30


def test_a_run_that_reads_names_its_phases(run_program, make_sandbox, tmp_path):
    """On a terminal, each with its own count: the reading of an hour must not look like a run that hangs."""
    sheet = write_sheet(tmp_path / "customers.csv", 30)
    run_program.environment["BULKUPDATE_BASE_URL"] = make_sandbox(latency_seconds=0.1).base_url
    terminal = Terminal(run_program, "run", sheet, "--yes", "--snapshot", "--verify")
    assert terminal.finish() == 0
    terminal.close()
    found = [re.search(rf"{phase} [^\r]*? [1-9]\d*/30 ", terminal.shown) for phase in Phase]
    places = [match.start() for match in found if match]
    assert len(places) == 3, terminal.shown
    assert places == sorted(places)


@pytest.mark.parametrize("command", [("run", "customers.csv", "--yes"), ("resume",), ("doctor",)])
def test_a_wait_before_the_first_row_is_shown_with_its_end(run_program, sandbox, tmp_path, command):
    """The quota is used up: without a word, the program would look hung for up to an hour."""
    sheet = write_sheet(tmp_path / "customers.csv", 4)
    assert run_program("run", sheet, "--yes", "--limit", 2, requests_per_hour=3).counts["updated"] == 2
    process = run_program.fork(*command, json=False, requests_per_hour=3)
    wait_until(lambda: "waiting for quota until" in process.err.read_text() or process.poll() is not None)
    assert "waiting for quota until" in process.err.read_text()
    process.send_signal(signal.SIGINT)
    process.wait(30)
