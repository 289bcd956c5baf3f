"""Calls of the program that many tests of the command line look at."""

from __future__ import annotations

import pytest

from bulkupdate.sandbox.faults import ScheduledFaults
from tests.cli.terminal import Terminal
from tests.conftest import FIRST, write_csv, write_sheet

HEADINGS = ["CustomerId", "Name", "Email"]


@pytest.fixture
def mixed(make_sandbox, run_program, tmp_path):
    """A finished run with a row of each status that a finished run can have, and its sandbox with the trouble over."""
    plan = ScheduledFaults(customers={FIRST + 1: ["error-500"] * 2, FIRST + 2: ["cut-after"] * 2})
    sandbox = make_sandbox(plan=plan)
    run_program.environment["BULKUPDATE_BASE_URL"] = sandbox.base_url
    lines = [
        HEADINGS,
        [FIRST, "good", ""],
        [FIRST + 1, "fails", ""],
        [FIRST + 2, "unknown", ""],
        [999, "rejected", ""],
        [FIRST + 4, "", ""],
        [FIRST + 5, "", "no address"],
    ]
    sheet = write_csv(tmp_path / "customers.csv", lines)
    results = tmp_path / "results.csv"
    settings = {"max_attempts": 2, "retry_wait": 0, "concurrency": 1}
    answer = run_program("run", sheet, "--yes", "--skip-invalid", "-o", results, **settings)
    return sandbox, answer


@pytest.fixture
def ask(run_program, sandbox, tmp_path):
    """A run of 30 rows on a terminal, as far as its question."""
    terminal = Terminal(run_program, "run", write_sheet(tmp_path / "customers.csv", 30))
    terminal.read_until(lambda shown: "[y/N]" in shown)
    yield terminal
    terminal.process.kill()
    terminal.process.communicate()
    terminal.close()
