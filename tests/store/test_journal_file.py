"""A journal full, damaged, locked or of another version: one sentence, nothing sent, the file kept."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import JournalError, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.live.confirmed_values import find_confirmed
from bulkupdate.store import sqlite_file
from bulkupdate.store.journal_file import JOURNAL_NAME
from bulkupdate.store.journal_schema import TABLES, VERSION
from tests.conftest import FIRST, find_puts, write_sheet
from tests.runs.killing import read_statuses
from tests.warm import PROJECT


@pytest.fixture
def unfinished(run_program, sandbox, tmp_path):
    """The journal of a run that has sent two rows of 40."""
    sheet = write_sheet(tmp_path / "customers.csv", 40)
    done = run_program("run", sheet, "--yes", "--limit", 2)
    assert (done.exit_code, done.counts) == (1, {"updated": 2, "not attempted": 38})
    assert done.told["state"] == "stopped"
    sandbox.reset_log()
    return run_program.state / JOURNAL_NAME


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def spoil_header(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.write(b"\xff" * 100)


def spoil_middle(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(4096 * 3 // 2)
        stream.write(b"\xa5" * 4096 * 3)


def replace_by_text(path: Path) -> None:
    path.write_text("this is no database\n" * 500)


def replace_by_other_database(path: Path) -> None:
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE things (name TEXT)")
    other.commit()
    other.close()


@pytest.mark.parametrize("damage", [cut, empty, spoil_header, spoil_middle, replace_by_text, replace_by_other_database])
def test_a_damaged_journal_is_named_and_kept_and_nothing_is_sent(unfinished, run_program, sandbox, damage):
    damage(unfinished)
    damaged = unfinished.read_bytes()
    for command in (("resume",), ("run", "customers.csv", "--yes"), ("show",), ("runs",)):
        answer = run_program(*command)
        assert answer.exit_code == 4, command
        assert "damaged" in answer.err
        assert str(unfinished) in answer.err
        assert "Traceback" not in answer.err
        assert answer.told["exit_code"] == 4
    assert not sandbox.requests
    assert unfinished.read_bytes() == damaged


def test_a_journal_whose_file_is_lost_but_whose_log_is_there_is_not_begun_anew(tmp_path):
    """The log of a lost journal would otherwise be taken for that of the new one."""
    with Journal(tmp_path, Clock()):
        pass
    (tmp_path / JOURNAL_NAME).unlink()
    (tmp_path / f"{JOURNAL_NAME}-wal").write_bytes(b"what was written last")
    with pytest.raises(JournalError, match="missing"):
        Journal(tmp_path, Clock())
    assert not (tmp_path / JOURNAL_NAME).exists()


def test_a_journal_of_version_1_is_brought_to_this_version_with_its_doubts(tmp_path):
    """The order of old events counts only if run and clock agree on it; what may have been applied is marked so."""
    old = re.sub(r"    -- (Whether|The commits|Between).*\n", "", TABLES.partition("-- Searches for customers")[0])
    old = re.sub(r"(?s),\n    -- The journal's sequence when the run was.*?\n\);", "\n);", old)
    old = re.sub(r"    (may_be_applied|sent|begun) INTEGER NOT NULL DEFAULT 0,\n|    ended INTEGER,\n", "", old)
    old = old.replace("WHERE may_be_applied = 1", "WHERE status IN ('updated', 'unknown', 'failed')")
    old = old.replace("CREATE TABLE sequence (last INTEGER NOT NULL);\nINSERT INTO sequence VALUES (0);\n", "")
    assert "CREATE TABLE sequence" not in old
    with closing(sqlite3.connect(tmp_path / JOURNAL_NAME, isolation_level=None)) as file:
        file.executescript(f"{old}; PRAGMA user_version = 1")
        # run, row, customer, status, HTTP status, attempts, finished at: run 1's clock was ahead from row 3 on
        for run, row, customer, status, http, attempts, at in [
            (1, 2, "2", "updated", 200, 1, "2026-01-01T00:00:00Z"),
            (1, 3, "3", "updated", 200, 1, "2026-01-09T00:00:00Z"),
            (1, 4, "4", "not attempted", 502, 2, ""), (1, 5, "5", "not attempted", None, 0, ""),
            (2, 2, "2", "updated", 200, 1, "2026-01-02T00:00:00Z"),
            (2, 3, "3", "updated", 200, 1, "2026-01-02T00:00:00Z"),
        ]:  # fmt: skip
            values = (run, f"r{run}", "f", "", "h", "u", "[]", "{}", "{}", "o", None, "stopped", "2026", "", "", 0)
            file.execute(f"INSERT OR IGNORE INTO runs VALUES ({', '.join('?' * 16)})", values)
            file.execute("INSERT INTO inputs VALUES (?, ?, ?, 'Name', '[]')", (run, row, f'{{"Name": "{run}"}}'))
            values = (run, row, customer, status, http, attempts, "", at)
            file.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
    for _ in range(2):  # it is migrated once
        with Journal(tmp_path, Clock()) as journal:
            assert dict(journal.tally(journal.find_run("r1")).counts) == {
                "updated": 2,
                "unknown": 1,
                "not attempted": 1,
            }
            marks = journal.select("SELECT row, may_be_applied, sent > 0 FROM rows WHERE run = 1")
            assert marks == [(2, 1, 1), (3, 1, 1), (4, 1, 1), (5, 0, 0)]
            wanted = dict.fromkeys("234", '{"Name": "2"}')
            assert set(find_confirmed(journal, "h", wanted, "")) == {"2"}


@pytest.mark.parametrize("version", [VERSION + 1, 99])
def test_a_journal_of_another_version_is_refused_and_left_as_it_is(unfinished, run_program, sandbox, version):
    connection = sqlite3.connect(unfinished)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = unfinished.read_bytes()
    answer = run_program("resume")
    assert (answer.exit_code, len(sandbox.requests)) == (4, 0)
    assert "another version" in answer.err
    assert unfinished.read_bytes() == before


def test_begun_by_many_processes_at_once_the_journal_is_whole(tmp_path):
    """Making the file and opening it do not get in each other's way."""
    code = "from bulkupdate.runs.journal import Journal\nfrom bulkupdate.clock import Clock\nfrom pathlib import Path\n"
    code += f"with Journal(Path({str(tmp_path)!r}), Clock()) as journal: print(len(journal.runs()))"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[0] for process in started] == ["0\n"] * 4
    assert not list(tmp_path.glob("*.new*"))


def test_a_locked_journal_ends_in_a_sentence(unfinished, monkeypatch):
    monkeypatch.setattr(sqlite_file, "LOCK_WAIT_SECONDS", 0.05)
    holder = sqlite3.connect(unfinished, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with Journal(unfinished.parent, Clock()) as journal, pytest.raises(JournalError, match="locked by another program"):
        journal.set_state(journal.find_run(), journal.find_run().state)
    holder.close()


def test_only_the_owner_can_read_what_is_kept(unfinished):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in unfinished.parent.rglob("*")}
    assert stat.S_IMODE(unfinished.parent.stat().st_mode) == 0o700
    assert {modes.pop("locks")} == {0o700}
    assert set(modes.values()) == {0o600}, modes


def test_a_state_folder_that_cannot_be_made_is_a_wrong_setting(run_program, sandbox, tmp_path):
    (tmp_path / "file").write_text("")
    sheet = write_sheet(tmp_path / "customers.csv", 1)
    answer = run_program("run", sheet, "--yes", state_dir=tmp_path / "file" / "state")
    assert (answer.exit_code, len(sandbox.requests)) == (2, 0)
    assert "BULKUPDATE_STATE_DIR" in answer.err
    assert "resume" not in answer.err


def test_an_unknown_run_is_a_wrong_use(tmp_path):
    with Journal(tmp_path, Clock()) as journal, pytest.raises(UsageError, match="no run"):
        journal.find_run("20260101-000000-none")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process")
def test_with_the_disk_full_at_the_nth_journal_write_no_row_goes_out_that_is_not_written_down(
    unfinished, run_program, sandbox, tmp_path
):
    """The journal's log grows with each commit: whatever the limit, it is met before a PUT, and `resume` continues."""
    kept = tmp_path / "kept"
    shutil.copytree(run_program.state, kept)
    stops = set()
    for most_bytes in (8_192, 30_000, 60_000, 90_000, 120_000, 180_000):
        shutil.rmtree(run_program.state)
        shutil.copytree(kept, run_program.state)
        sandbox.reset_log()
        answer = run_program("resume", largest_file=most_bytes, concurrency=2)
        assert answer.exit_code == 4, answer.err
        assert re.search(r"cannot be (written|used)|disk", answer.err)
        assert "Traceback" not in answer.err
        statuses = read_statuses(unfinished.parent)
        sent = {int(each) - FIRST + 2 for each in find_puts(sandbox)}
        assert {row for row in sent if statuses[row] not in ("updated", "unknown")} == set()
        assert {row for row, status in statuses.items() if status == "updated"} <= sent | {2, 3}
        stops.add(len(sent))
    assert len(stops) > 2, "the limit must be met at several moments"
    again = run_program("resume")
    assert (again.exit_code, again.counts) == (0, {"updated": 40})
