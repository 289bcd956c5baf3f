"""`purge` deletes old runs with every byte of their data; results and running runs are kept."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import BusyError, ExitCode, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.retention import delete_run, delete_runs_before
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import RunState
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.conftest import Program
from tests.nightly.night_folders import FIRST, NightEnvironment
from tests.postgres import only_files, place_of

VALUE = "Wilhelmina Unmistakable"
DAY = 86_400.0


class LaterClock(Clock):
    """The clock of the machine, set ahead by some seconds."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead

    def now(self) -> float:
        return super().now() + self.ahead


@pytest.fixture
def ran(tmp_path: Path) -> Iterator[NightEnvironment]:
    """A state folder with one run, made by a night: one row updated, one invalid, one with previous values."""
    with Sandbox(SandboxOptions(customers=10)) as sandbox:
        yield make_run(NightEnvironment(tmp_path, sandbox))


def make_run(env: NightEnvironment) -> NightEnvironment:
    env.put("a.csv", f"CustomerId,Name,IsWholesale\n{FIRST},{VALUE},\n{FIRST + 1},{VALUE},perhaps\n")
    assert env.night(skip_invalid=True) is ExitCode.INCOMPLETE
    with Journal(place_of(env.state), Clock()) as journal:
        key = journal.find_run().key
        journal.connection.execute("INSERT INTO snapshots VALUES (?, 2, ?)", (key, json.dumps({"Name": VALUE})))
    return env


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@only_files
def test_deleted_runs_leave_no_byte_and_results_are_kept(ran: NightEnvironment) -> None:
    assert VALUE.encode() in bytes_of(ran.state)
    with (
        Journal(place_of(ran.state), Clock()) as journal,
        Journal(place_of(ran.state), Clock()),
    ):  # another program has it open, too
        assert delete_runs_before(journal, ran.state, Clock().now() + 1) == 1
        assert journal.runs() == []
        assert VALUE.encode() not in bytes_of(ran.state)
        tables = ("inputs", "rows", "problems", "snapshots")
        assert [journal.connection.execute(f"SELECT count(*) FROM {each}").fetchone()[0] for each in tables] == [0] * 4
    assert VALUE.encode() not in bytes_of(ran.state)
    assert [each for each in (ran.state / "locks").iterdir() if not each.name.startswith("night-")] == []
    assert Path(ran.summary("a")["results"]).exists()


def test_younger_runs_are_kept(ran: NightEnvironment, run_program: Program) -> None:
    assert run_program("purge", "--older-than", "1d", state_dir=ran.state).told["purged"] == 0
    with Journal(place_of(ran.state), LaterClock(2 * DAY)) as journal:
        assert delete_runs_before(journal, ran.state, LaterClock(2 * DAY).now() - DAY) == 1


def test_a_run_that_is_being_sent_is_kept(ran: NightEnvironment) -> None:
    with Journal(place_of(ran.state), Clock()) as journal:
        run = journal.find_run()
        journal.set_state(run, RunState.RUNNING)
        with lock_run(journal, run.id):
            assert delete_runs_before(journal, ran.state, Clock().now() + 1) == 0
        assert delete_runs_before(journal, ran.state, Clock().now() + 1) == 1  # its process died


def test_an_invalid_number_of_days_is_refused(ran: NightEnvironment, run_program: Program) -> None:
    for given in ("", "d", "-1d", "90 days", "1e9", "٩٠d"):
        assert run_program("purge", "--older-than", given, state_dir=ran.state).exit_code == 2, given
    with Journal(place_of(ran.state), Clock()) as journal:
        assert len(journal.runs()) == 1


@only_files
def test_files_with_customer_data_are_private(ran: NightEnvironment) -> None:
    for path in (ran.state, *ran.state.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@only_files
def test_a_run_is_deleted_to_the_last_byte_but_not_before_the_older_ones_of_its_customers(
    ran: NightEnvironment,
) -> None:
    """Without it the journal would take the values of the older run for the present ones."""
    ran.put("b.csv", f"CustomerId,Name\n{FIRST},Newer\n{FIRST + 5},Newer\n")
    assert ran.night() is ExitCode.DONE
    with Journal(place_of(ran.state), Clock()) as journal:
        newer, older = journal.runs()
        with pytest.raises(UsageError, match=older.id):
            delete_run(journal, ran.state, newer)
        assert journal.runs() == [newer, older]
        with lock_run(journal, older.id), pytest.raises(BusyError):
            delete_run(journal, ran.state, older)
        delete_run(journal, ran.state, older)
        assert journal.runs() == [newer]
        delete_run(journal, ran.state, newer)
    assert VALUE.encode() not in bytes_of(ran.state)
    assert [each for each in (ran.state / "locks").iterdir() if not each.name.startswith("night-")] == []
