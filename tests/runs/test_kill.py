"""kill -9 at any moment, then `resume`: every row sent, none confirmed sent again."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.runs.killing import KilledRun, Killer
from tests.warm import WarmProgram

ROWS = 30
PARTS = 6
"""Into which the kills at every event are divided, so that they can be made on more than one core."""

MOST_EVENTS = 5000
STEP = 191
"""Between the kills of the fast test; the long one kills at every event."""

pytestmark = pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="kills are made with fork and SIGKILL")


@pytest.fixture
def killer(sandbox: Any, warm_program: WarmProgram) -> Killer:
    return Killer(sandbox.base_url, warm_program)


def kill_and_resume(killer: Killer, sandbox: Any, folder: Path, n: int) -> bool:
    """Whether the n-th event was there to be killed at."""
    run = KilledRun(killer, sandbox, folder / f"at-{n}", ROWS, f"n{n}")
    ended = run.begin(kill_at=n)
    assert ended or run.resume()
    run.check_end()
    return not ended


def test_killed_at_one_event_in_191_every_row_is_sent_and_none_confirmed_again(killer, sandbox, tmp_path):
    n = 1
    while kill_and_resume(killer, sandbox, tmp_path, n):
        n += STEP
    assert 1 + STEP < n < MOST_EVENTS, "the events must cover the run"


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_every_event_every_row_is_sent_and_none_confirmed_again(killer, sandbox, tmp_path, part):
    n = 1 + part
    while kill_and_resume(killer, sandbox, tmp_path, n):
        n += PARTS
    assert 200 < n < MOST_EVENTS


@pytest.mark.long
def test_killed_five_times_in_resume_still_all_is_sent_and_nothing_confirmed_again(killer, sandbox, tmp_path):
    chance = random.Random(5)
    run = KilledRun(killer, sandbox, tmp_path / "five", ROWS, "five")
    ended = run.begin(kill_at=chance.randint(100, 250))
    for _ in range(5):
        ended = ended or run.resume(kill_at=chance.randint(30, 120))
    assert ended or run.resume()
    run.check_end()
    assert run.kills >= 5


def kill_among_faults(make_sandbox: Any, warm_program: WarmProgram, folder: Path, rows: int, kills: int) -> None:
    faults = {
        "error-500": 0.02, "error-503": 0.02, "cut-before": 0.02, "cut-after": 0.02, "html-502": 0.02,
        "empty-body": 0.02, "html-200": 0.02, "expired-token": 0.005,
    }  # fmt: skip
    sandbox = make_sandbox(faults=faults, fault_seed=7)
    chance, killer = random.Random(20), Killer(sandbox.base_url, warm_program)
    run = KilledRun(killer, sandbox, folder / "faults", rows, "faults")
    ended = run.begin(kill_at=chance.randint(1, rows * 20 // kills))
    while not ended and run.kills < kills:
        ended = run.resume(kill_at=chance.randint(1, rows * 20 // kills))
    assert ended or run.resume()
    run.check_end(is_calm=False)
    assert run.kills >= kills // 2


@pytest.mark.long
def test_killed_at_random_moments_with_faults_on(make_sandbox, warm_program, tmp_path):
    kill_among_faults(make_sandbox, warm_program, tmp_path, rows=100, kills=5)


@pytest.mark.long
def test_killed_at_twenty_random_moments_of_two_thousand_rows_with_faults_on(make_sandbox, warm_program, tmp_path):
    kill_among_faults(make_sandbox, warm_program, tmp_path, rows=2000, kills=20)
