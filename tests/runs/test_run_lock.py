"""The state of a run as it is now, whatever was read of it before."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import BusyError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state, lock_run, require_not_running
from bulkupdate.runs.run_records import RunState
from tests.conftest import write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver


def test_a_run_that_has_ended_since_it_was_read_does_not_look_stopped(make_sandbox, tmp_path: Path) -> None:
    driver = Driver(make_sandbox().base_url, tmp_path)
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 2))
    with Journal(place_of(driver.state), Clock()) as journal:
        journal.set_state(run, RunState.RUNNING)
        running = journal.find_run(run.id)
        assert effective_state(journal, running) is RunState.STOPPED
        journal.set_state(run, RunState.FINISHED)
        assert effective_state(journal, running) is RunState.FINISHED


def test_a_run_that_another_process_sends_is_left_to_it(make_sandbox, tmp_path: Path) -> None:
    driver = Driver(make_sandbox().base_url, tmp_path)
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 2))
    with Journal(place_of(driver.state), Clock()) as journal:
        journal.set_state(run, RunState.RUNNING)
        running = journal.find_run(run.id)
        require_not_running(journal, running)
        with lock_run(journal, run.id), Journal(place_of(driver.state), Clock()) as other:
            assert effective_state(other, running) is RunState.RUNNING
            with pytest.raises(BusyError) as busy:
                require_not_running(other, running)
    assert busy.value.remedy == f"Wait for it, or stop it first; `bulkupdate show {run.id}` shows its progress."


def test_a_run_that_was_deleted_counts_as_stopped(make_sandbox, tmp_path: Path) -> None:
    driver = Driver(make_sandbox().base_url, tmp_path)
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 2))
    with Journal(place_of(driver.state), Clock()) as journal:
        journal.set_state(run, RunState.RUNNING)
        running = journal.find_run(run.id)
        journal.delete_run(run)
        assert effective_state(journal, running) is RunState.STOPPED
