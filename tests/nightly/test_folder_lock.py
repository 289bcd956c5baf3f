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
from bulkupdate.errors import BusyError
from bulkupdate.nightly.folder_lock import OWNER_NAME, hold_folder, read_owner
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
