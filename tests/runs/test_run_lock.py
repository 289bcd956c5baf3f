"""The state of a run as it is now, whatever was read of it before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import BusyError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state, lock_run, require_not_running
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.sandbox.server import Sandbox
from tests.conftest import write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        yield journal


@pytest.fixture
def running(journal: Journal, sandbox: Sandbox, tmp_path: Path) -> Run:
    """A run as it was read while it was recorded as running."""
    run = Driver(sandbox.base_url, tmp_path).begin(write_sheet(tmp_path / "customers.csv", 2))
    journal.set_state(run, RunState.RUNNING)
    return journal.find_run(run.id)


def test_a_run_that_has_ended_since_it_was_read_does_not_look_stopped(journal: Journal, running: Run) -> None:
    assert effective_state(journal, running) is RunState.STOPPED
    journal.set_state(running, RunState.FINISHED)
    assert effective_state(journal, running) is RunState.FINISHED


def test_a_run_that_another_process_sends_is_left_to_it(journal: Journal, running: Run, tmp_path: Path) -> None:
    require_not_running(journal, running)
    with lock_run(journal, running.id), Journal(place_of(tmp_path / "state"), Clock()) as other:
        assert effective_state(other, running) is RunState.RUNNING
        with pytest.raises(BusyError) as busy:
            require_not_running(other, running)
    assert busy.value.remedy == f"Wait for it, or stop it first; `bulkupdate show {running.id}` shows its progress."


def test_a_run_that_was_deleted_counts_as_stopped(journal: Journal, running: Run) -> None:
    journal.delete_run(running)
    assert effective_state(journal, running) is RunState.STOPPED
