"""One process works on a folder; the others learn which; a killed process holds no lock."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import BusyError, UsageError
from bulkupdate.nightly.folder_lock import IDENTITY_NAME, LOCK_NAME, OWNER_NAME, hold_folder, read_owner
from bulkupdate.runs.journal import Journal
from tests.postgres import place_of

_HOLDER = """
import sys, time
from pathlib import Path
from bulkupdate.clock import Clock
from bulkupdate.nightly.folder_lock import hold_folder
with hold_folder(Path(sys.argv[1]), Clock()):
    print("held", flush=True)
    time.sleep(60)
"""


def hold_elsewhere(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _HOLDER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_owner_of_a_locked_folder_is_named(tmp_path: Path) -> None:
    process = hold_elsewhere(tmp_path)
    try:
        with pytest.raises(BusyError) as refused, hold_folder(tmp_path, Clock()):
            pass
        said = str(refused.value)
        assert f"process {process.pid} on {socket.gethostname()}, since 20" in said
        assert said.count("Z.") == 1
    finally:
        process.kill()
        process.communicate()


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    process = hold_elsewhere(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with hold_folder(tmp_path, Clock()) as dead:
        assert dead is not None
        assert dead.pid == process.pid
        owner = read_owner(tmp_path)
        assert owner is not None
        assert owner.pid == os.getpid()
    with hold_folder(tmp_path, Clock()) as dead:
        assert dead is None


def test_hosts_that_share_a_journal_share_the_lock(tmp_path: Path) -> None:
    """A shared disk is mounted elsewhere on each host, and its locks may not reach the other."""
    here, there, place = tmp_path / "here", tmp_path / "there", place_of(tmp_path / "state")
    here.mkdir()
    with Journal(place, Clock()) as journal, Journal(place, Clock()) as other:
        with hold_folder(here, Clock(), journal.home):
            shutil.copytree(here, there)
            with pytest.raises(BusyError, match=f"process {os.getpid()} on"), hold_folder(there, Clock(), other.home):
                pass
        with hold_folder(there, Clock(), other.home):
            pass


@pytest.mark.parametrize("note", ["", "{", "[]", '{"pid": "x", "host": "h", "since": "s"}'])
def test_a_damaged_owner_note_is_ignored(tmp_path: Path, note: str) -> None:
    (tmp_path / OWNER_NAME).write_text(note)
    assert read_owner(tmp_path) is None
    with hold_folder(tmp_path, Clock()) as dead:
        assert dead is None


def test_folders_that_share_a_journal_have_locks_of_their_own(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    with (
        Journal(place_of(tmp_path / "state"), Clock()) as journal,
        hold_folder(one, Clock(), journal.home),
        hold_folder(other, Clock(), journal.home),
    ):
        pass


def test_a_folder_elsewhere_is_locked_by_its_address(tmp_path: Path) -> None:
    """Each host has a local folder of its own for it."""
    here, there, place = tmp_path / "here", tmp_path / "there", place_of(tmp_path / "state")
    here.mkdir()
    there.mkdir()
    with (
        Journal(place, Clock()) as journal,
        Journal(place, Clock()) as other,
        hold_folder(here, Clock(), journal.home, "sftp://host/night"),
    ):
        with pytest.raises(BusyError), hold_folder(there, Clock(), other.home, "sftp://host/night"):
            pass
        with hold_folder(there, Clock(), other.home, "sftp://host/day"):
            pass


def test_a_folder_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).mkdir()
    with pytest.raises(UsageError, match=f"{tmp_path} cannot be locked"), hold_folder(tmp_path, Clock()):
        pass


@pytest.mark.parametrize("name", ["", "0123456789abcdef"])
def test_a_name_that_another_host_is_writing_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / IDENTITY_NAME
    path.touch()
    monkeypatch.setattr("bulkupdate.nightly.folder_lock.time.sleep", lambda _: path.write_text(name))
    with Journal(place_of(tmp_path / "state"), Clock()) as journal:
        if name:
            with hold_folder(tmp_path, Clock(), journal.home):
                pass
        else:
            with (
                pytest.raises(UsageError, match="it is empty; delete it"),
                hold_folder(tmp_path, Clock(), journal.home),
            ):
                pass


def test_what_a_process_of_the_same_number_left_behind_is_replaced(tmp_path: Path) -> None:
    (tmp_path / f"{OWNER_NAME}.{os.getpid()}").write_text("{")
    with hold_folder(tmp_path, Clock()):
        assert read_owner(tmp_path) is not None
