"""The journal deleted, replaced or emptied while a run is sending, and other runs while a large file is taken in."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.customers.models import CheckedRow, Problem, Status
from bulkupdate.errors import JournalError, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import NewRun, RunOptions, RunState
from tests.conftest import FIRST, find_puts, write_sheet
from tests.postgres import only_files, place_of
from tests.runs.in_process import Driver

CONCURRENCY = 4


def unlink(journal: Path) -> None:
    journal.unlink()


def unlink_with_log(journal: Path) -> None:
    for path in journal.parent.glob("journal.sqlite3*"):
        path.unlink()


def replace_by_another(journal: Path) -> None:
    other = journal.with_name("other")
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE x (y)")
    other.replace(journal)


def rename_folder(journal: Path) -> None:
    journal.parent.rename(journal.parent.with_name("elsewhere"))


def empty(journal: Path) -> None:
    journal.write_bytes(b"")


@only_files
@pytest.mark.parametrize("lose", [unlink, unlink_with_log, replace_by_another, rename_folder, empty])
def test_a_run_whose_journal_is_lost_sends_nothing_more(
    make_sandbox, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    sandbox = make_sandbox()
    driver = Driver(sandbox.base_url, tmp_path, settings={"concurrency": CONCURRENCY})
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 60))
    lost: list[int] = []

    def watch(_outcomes: object, _waiting: object) -> None:
        if not lost and len(find_puts(sandbox)) >= 20:
            lost.append(len(find_puts(sandbox)))
            lose(tmp_path / "state" / "journal.sqlite3")

    ending = driver.execute_run(run, watch=watch)
    assert ending.exit_code == 4
    assert isinstance(ending.error, JournalError)
    assert "while the run was sending" in str(ending.error)
    assert ending.error.remedy
    assert len(find_puts(sandbox)) <= lost[0] + CONCURRENCY


def cut(journal: Path) -> None:
    os.truncate(journal, 4096)


def overwrite(journal: Path) -> None:
    with journal.open("r+b") as file:
        file.write(bytes(journal.stat().st_size))


@only_files
@pytest.mark.parametrize("lose", [unlink, cut, overwrite])
def test_a_journal_lost_after_the_last_commit_is_no_success(
    make_sandbox, tmp_path: Path, lose: Callable[[Path], None]
) -> None:
    sandbox = make_sandbox()
    driver = Driver(sandbox.base_url, tmp_path)
    run = driver.begin(write_sheet(tmp_path / "customers.csv", 5))
    seen: list[int] = []

    def watch(outcomes: Iterable[object], _waiting: object) -> None:
        seen.extend(1 for _ in outcomes)
        if len(seen) == 5:
            lose(tmp_path / "state" / "journal.sqlite3")

    assert driver.execute_run(run, watch=watch).exit_code == 4


# --- taking in a large file -------------------------------------------------------------------------------------------


def make_new_run(run_id: str) -> NewRun:
    return NewRun(
        run_id, "big.csv", "0" * 64, "host", "user", ("CustomerId", "Name"), RunOptions(), {}, "results.csv", None
    )


def make_rows(count: int, pause: Callable[[int], None] = lambda _row: None) -> Iterator[CheckedRow]:
    for number in range(count):
        pause(number)
        body = f'{{"Name": "Customer {number}"}}'
        yield CheckedRow(number + 2, str(FIRST + number), Status.NOT_ATTEMPTED, body, ("Name",), ("x", "y"))


def test_unfinished_runs_and_those_that_followed_another_are_found_newest_first(tmp_path: Path) -> None:
    with Journal(place_of(tmp_path), Clock()) as journal:
        first = journal.add_run(make_new_run("r1"), make_rows(1))
        for run_id in ("r2", "r3"):
            journal.add_run(replace(make_new_run(run_id), parent="r1"), make_rows(1))
        journal.set_state(journal.find_run("r2"), RunState.FINISHED)
        journal.set_state(first, RunState.RUNNING)
        assert [run.id for run in journal.unfinished_runs()] == ["r3", "r1"]
        assert [run.id for run in journal.child_runs(first)] == ["r3", "r2"]
        assert journal.child_runs(journal.find_run("r3")) == []


def test_a_run_that_is_being_written_down_does_not_exist_yet(tmp_path: Path) -> None:
    """A kill in the middle leaves nothing that could be resumed, listed or trusted; a day later it is cleared away."""

    class KilledError(Exception):
        pass

    def die(number: int) -> None:
        if number == 9000:
            raise KilledError

    clock = Clock()
    with Journal(place_of(tmp_path), clock) as journal:
        with pytest.raises(KilledError):
            journal.add_run(make_new_run("20260114-093849-k3v9x2mq"), make_rows(10_000, die))
        assert journal.runs() == []
        assert journal.runs_of_file("0" * 64, "host") == []
        with pytest.raises(UsageError):
            journal.find_run()
        with pytest.raises(UsageError):
            journal.find_run("20260114-093849-k3v9x2mq")
        assert journal.select("SELECT count(*) FROM rows") == [(8000,)]
        journal.execute_in_parts("UPDATE runs SET started = ?", [("2026-01-14T09:38:49Z",)])
        journal.add_run(make_new_run("20260115-093849-k3v9x2mq"), make_rows(3))
        assert journal.select("SELECT count(*) FROM rows") == [(3,)]
        assert [run.id for run in journal.runs()] == ["20260115-093849-k3v9x2mq"]


def test_a_night_writes_the_run_of_a_file_again_that_a_killed_one_left_half_written(tmp_path: Path) -> None:
    """It has the id of the run from the file's name: it must not wait a day until what is left is cleared away."""

    def die(number: int) -> None:
        if number == 9000:
            raise KeyboardInterrupt

    new = make_new_run("20260114-093849-k3v9x2mq")
    with Journal(place_of(tmp_path), Clock()) as journal:
        with pytest.raises(KeyboardInterrupt):
            journal.add_run(new, make_rows(10_000, die))
        assert journal.add_run(new, make_rows(3)).id == new.id
        assert journal.select("SELECT count(*) FROM rows") == [(3,)]
        with pytest.raises(JournalError):
            journal.add_run(new, make_rows(3))
        assert journal.select("SELECT count(*) FROM rows") == [(3,)], "a whole run is never written again"


@only_files
def test_a_full_disk_before_the_run_begins_leaves_nothing_to_resume(tmp_path: Path) -> None:
    with Journal(place_of(tmp_path), Clock()) as journal:
        journal.connection.execute("PRAGMA max_page_count = 40")
        with pytest.raises(JournalError) as full:
            journal.add_run(make_new_run("20260114-093849-k3v9x2mq"), make_rows(9000))
    assert full.value.remedy == "Free some space on the disk, then run the same command again."


def test_the_error_for_an_unknown_run_says_what_to_do_next(tmp_path: Path) -> None:
    with Journal(place_of(tmp_path), Clock()) as journal:
        with pytest.raises(UsageError) as first:
            journal.find_run()
        assert first.value.remedy == "`bulkupdate run FILE` starts the first one."
        assert str(first.value) == f"The journal {journal.home.name} has no runs."
        journal.add_run(make_new_run("20260114-093849-aaaaaaaa"), make_rows(1))
        with pytest.raises(UsageError) as unknown:
            journal.find_run("20260114-093849-bbbbbbbb")
        assert unknown.value.remedy == "`bulkupdate runs` lists all."
        assert str(unknown.value) == f"The journal {journal.home.name} has no run 20260114-093849-bbbbbbbb."


def test_rows_that_need_no_request_have_ended_when_the_run_begins(tmp_path: Path) -> None:
    sent, skipped = make_rows(2)
    skipped = skipped._replace(status=Status.UNCHANGED, reason="as it is")
    with Journal(place_of(tmp_path), Clock()) as journal:
        run = journal.add_run(make_new_run("20260114-093849-aaaaaaaa"), [sent, skipped])
        ended = journal.select("SELECT finished_at FROM rows WHERE run = ? ORDER BY row", (run.key,))
        assert ended == [("",), (journal.find_run(run.id).started,)]


@pytest.mark.long
def test_another_run_records_its_rows_while_a_large_file_is_written_down(tmp_path: Path) -> None:
    with Journal(place_of(tmp_path), Clock()) as journal:
        small = journal.add_run(make_new_run("20260114-093849-aaaaaaaa"), make_rows(2))
    is_loading, is_over = threading.Event(), threading.Event()

    def load() -> None:
        with Journal(place_of(tmp_path), Clock()) as journal:
            journal.add_run(make_new_run("20260114-093849-bbbbbbbb"), make_rows(60_000, lambda _row: is_loading.set()))
        is_over.set()

    loader = threading.Thread(target=load)
    loader.start()
    is_loading.wait(10)
    rows_at_each_record = set()
    with Journal(place_of(tmp_path), Clock()) as journal:
        while not is_over.is_set():
            journal.record(small, calls=1)
            rows_at_each_record.add(journal.select("SELECT count(*) FROM rows")[0][0])
            time.sleep(0.001)
    loader.join()
    assert len(rows_at_each_record) >= 5, "it has its turn between the parts"


@only_files
def test_purge_deletes_large_runs_in_parts_and_leaves_nothing(tmp_path: Path) -> None:
    with Journal(place_of(tmp_path), Clock()) as journal:
        problems = [Problem(2, "1", "Name", "x", "email", "m", "r")] * 3
        journal.add_run(make_new_run("20260114-093849-aaaaaaaa"), make_rows(9000), problems)
        assert journal.purge("2999-01-01T00:00:00Z") == 1
        for table in ("runs", "rows", "inputs", "problems"):
            assert journal.select(f"SELECT count(*) FROM {table}") == [(0,)]
