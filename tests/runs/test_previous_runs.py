"""Runs that sent the same file before: a rule that all entry points share."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.errors import OvertakenRunError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.previous_runs import (
    PreviousRun,
    describe_newer_runs,
    find_previous_run,
    require_not_overtaken,
)
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import NewerRun, Run, RunState
from tests.conftest import write_sheet
from tests.postgres import place_of
from tests.runs.in_process import Driver
from tests.sellercloud.scripted import TurnedClock


@pytest.fixture
def driver(sandbox, tmp_path) -> Driver:
    return Driver(sandbox.base_url, tmp_path)


def find(driver: Driver, run: Run, host: str | None = None) -> PreviousRun | None:
    with Journal(place_of(driver.state), driver.clock) as journal:
        return find_previous_run(journal, run.sha256, host or run.host)


def test_a_run_counts_once_it_has_updated_something(driver: Driver, tmp_path: Path):
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 3))
    assert find(driver, run) is None, "it was written down, and sent nothing"
    driver.execute_run(run)
    found = find(driver, run)
    assert found is not None
    assert (found.id, found.state, found.updated, found.rows) == (run.id, RunState.FINISHED, 3, 3)
    assert found.describe().endswith("3 of 3 rows updated.")
    assert find(driver, run, "another.example.com") is None


def test_a_run_that_is_being_sent_counts_before_its_first_update(driver: Driver, tmp_path: Path):
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 3))
    with Journal(place_of(driver.state), driver.clock) as journal, lock_run(journal, run.id):
        journal.set_state(run, RunState.RUNNING)
        found = find_previous_run(journal, run.sha256, run.host)
    assert found is not None
    assert (found.state, found.updated) == (RunState.RUNNING, 0)
    assert "being sent now" in found.describe()
    assert find(driver, run) is None, "its process has died without an update"


def test_a_run_that_stopped_names_the_command_that_continues(driver: Driver, tmp_path: Path):
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 3))
    driver.execute_run(run, limit=1)
    found = find(driver, run)
    assert found is not None
    assert f"`bulkupdate resume {run.id}`" in found.describe()


def test_a_run_is_not_its_own_earlier_run(driver: Driver, tmp_path: Path):
    sheet = write_sheet(tmp_path / "customers.csv", 2)
    first, second = driver.begin(sheet), driver.begin(sheet)
    driver.execute_run(first)
    driver.execute_run(second)
    with Journal(place_of(driver.state), driver.clock) as journal:
        found = [find_previous_run(journal, run.sha256, run.host, other_than=run.id) for run in (first, second)]
    assert [each and each.id for each in found] == [second.id, first.id]


# --- customers that a newer run has sent since ------------------------------------------------------------------------


def list_newer(driver: Driver, run: Run) -> list[tuple[str, int]]:
    with Journal(place_of(driver.state), driver.clock) as journal:
        return [(each.id, each.customers) for each in journal.find_newer_runs(journal.find_run(run.id))]


def test_a_newer_run_counts_by_the_customers_that_still_wait(driver: Driver, tmp_path: Path):
    older = driver.begin(write_sheet(tmp_path / "older.csv", 5))
    driver.execute_run(older, limit=2)
    assert list_newer(driver, older) == []
    newer = driver.begin(write_sheet(tmp_path / "newer.csv", 4, word="corrected"))
    assert list_newer(driver, older) == [], "it has sent nothing yet"
    driver.execute_run(newer)
    assert list_newer(driver, older) == [(newer.id, 2)], "rows 4 and 5; rows 2 and 3 were updated before"
    assert list_newer(driver, newer) == []


def test_an_older_run_that_was_continued_meanwhile_counts_too(driver: Driver, tmp_path: Path):
    older = driver.begin(write_sheet(tmp_path / "older.csv", 3))
    run = driver.begin(write_sheet(tmp_path / "run.csv", 3, word="later"))
    driver.execute_run(run, limit=1)
    driver.execute_run(older)
    assert list_newer(driver, run) == [(older.id, 2)]


def test_an_older_run_that_was_continued_before_this_one_sent_anything_counts_too(driver: Driver, tmp_path: Path):
    older = driver.begin(write_sheet(tmp_path / "older.csv", 3))
    run = driver.begin(write_sheet(tmp_path / "run.csv", 3, word="later"))
    driver.execute_run(older)
    assert list_newer(driver, run) == [(older.id, 3)]


def test_an_older_run_that_ended_before_does_not_count(driver: Driver, tmp_path: Path):
    older = driver.begin(write_sheet(tmp_path / "older.csv", 3))
    driver.execute_run(older)
    run = driver.begin(write_sheet(tmp_path / "run.csv", 3, word="later"))
    driver.execute_run(run, limit=1)
    assert list_newer(driver, run) == []


@pytest.mark.parametrize("hours", [-2, 2])
def test_a_clock_that_was_set_does_not_change_what_is_newer(driver: Driver, tmp_path: Path, hours: int):
    clock = driver.clock = TurnedClock()
    before = driver.begin(write_sheet(tmp_path / "before.csv", 3))
    driver.execute_run(before)
    clock.advance(hours * 3600)
    run = driver.begin(write_sheet(tmp_path / "run.csv", 3, word="later"))
    assert list_newer(driver, run) == []
    after = driver.begin(write_sheet(tmp_path / "after.csv", 2, word="newest"))
    clock.advance(-2 * hours * 3600)
    driver.execute_run(after)
    assert list_newer(driver, run) == [(after.id, 2)]


def test_what_would_be_overwritten_is_said_in_a_sentence(driver: Driver, tmp_path: Path):
    run = driver.begin(write_sheet(tmp_path / "run.csv", 1))
    newer = [NewerRun(f"r{number}", number) for number in (1, 2, 3, 4, 5)]
    told = describe_newer_runs(run, newer)
    assert "run r1 (1 customer), run r2 (2 customers), run r3 (3 customers) and 2 more runs." in told
    assert "run r3 (3 customers). Sending" in describe_newer_runs(run, newer[:3])


def test_what_newer_runs_have_sent_is_not_overwritten_unasked(driver: Driver, tmp_path: Path):
    older = driver.begin(write_sheet(tmp_path / "older.csv", 3))
    driver.execute_run(older, limit=1)
    newer = driver.begin(write_sheet(tmp_path / "newer.csv", 3, word="corrected"))
    with Journal(place_of(driver.state), driver.clock) as journal:
        require_not_overtaken(journal, older)
        driver.execute_run(newer)
        with pytest.raises(OvertakenRunError, match=f"run {newer.id} \\(2 customers\\)") as refused:
            require_not_overtaken(journal, older)
        assert refused.value.remedy is not None
        assert f"`bulkupdate resume {older.id} --yes`" in refused.value.remedy
        with pytest.raises(OvertakenRunError) as refused:
            require_not_overtaken(journal, older, remedy="Leave it.")
        assert refused.value.remedy == "Leave it."
