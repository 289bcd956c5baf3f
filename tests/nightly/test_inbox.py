"""A file is ready if it has stopped growing, no process writes it, and its name does not say that it is incomplete."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import UsageError
from bulkupdate.nightly.inbox import (
    SettledInbox,
    is_being_written,
    is_unchanged,
    list_waiting_files,
    wait_until_settled,
)


class MeanwhileClock(Clock):
    """Instead of waiting, something happens."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self.happens = happens
        self.waited = 0.0

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        self.waited += seconds
        self.happens()
        return stop.is_set()


def settled(inbox: Path, happens: Callable[[], object] = lambda: None) -> list[str]:
    found = wait_until_settled(inbox, 5.0, MeanwhileClock(happens), threading.Event())
    return [each.path.name for each in found.ready]


def put(path: Path, text: str = "x", at: float = 1000.0) -> Path:
    path.write_text(text)
    os.utime(path, (at, at))
    return path


def test_the_oldest_comes_first(tmp_path: Path) -> None:
    for name, at in (("b.csv", 200.0), ("a.csv", 300.0), ("c.csv", 100.0)):
        put(tmp_path / name, at=at)
    assert settled(tmp_path) == ["c.csv", "b.csv", "a.csv"]


def test_a_growing_file_is_not_ready(tmp_path: Path) -> None:
    growing = put(tmp_path / "growing.csv")
    put(tmp_path / "whole.csv")

    def grow() -> None:
        growing.write_text("xx")
        os.utime(growing, (1000.0, 1000.0))  # some programs that copy keep the time of the original

    assert settled(tmp_path, grow) == ["whole.csv"]


def test_a_file_rewritten_at_the_same_size_is_not_ready(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv")
    assert settled(tmp_path, lambda: put(path, "y", at=1001.0)) == []


def test_a_file_that_appears_or_disappears_while_waiting_is_not_ready(tmp_path: Path) -> None:
    gone = put(tmp_path / "gone.csv")

    def change() -> None:
        gone.unlink()
        put(tmp_path / "new.csv")

    assert settled(tmp_path, change) == []


def test_an_empty_inbox_needs_no_wait(tmp_path: Path) -> None:
    clock = MeanwhileClock(lambda: None)
    assert wait_until_settled(tmp_path, 5.0, clock, threading.Event()) == SettledInbox()
    assert clock.waited == 0


def test_after_a_stop_no_file_is_ready(tmp_path: Path) -> None:
    put(tmp_path / "a.csv")
    stop = threading.Event()
    stop.set()
    assert wait_until_settled(tmp_path, 5.0, MeanwhileClock(lambda: None), stop) == SettledInbox()


@pytest.mark.parametrize(
    "name",
    [
        "~$a.xlsx",
        ".hidden.csv",
        "a.csv.part",
        "a.xlsx.filepart",
        "a.TMP",
        "a.csv.crdownload",
        "Thumbs.db",
        "desktop.ini",
    ],
)
def test_incomplete_hidden_and_system_files_are_not_ready(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    assert list_waiting_files(tmp_path) == []


@pytest.mark.parametrize("mark", ["~$a.xlsx", ".~lock.a.xlsx#", "a.xlsx.part"])
def test_a_file_that_is_open_or_still_being_copied_is_not_ready(tmp_path: Path, mark: str) -> None:
    put(tmp_path / "a.xlsx")
    put(tmp_path / mark)
    assert list_waiting_files(tmp_path) == []


def test_folders_links_and_pipes_are_not_ready(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "folder.csv").mkdir()
    (inbox / "link.csv").symlink_to(put(tmp_path / "elsewhere.csv"))
    if hasattr(os, "mkfifo"):
        os.mkfifo(inbox / "pipe.csv")
    assert list_waiting_files(inbox) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows which files are being written")
def test_a_file_open_for_writing_is_not_ready(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv")
    with path.open("a"):
        assert is_being_written(path)
        assert settled(tmp_path) == []
    with path.open("r"):
        assert not is_being_written(path)
    assert settled(tmp_path) == ["a.csv"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has leases")
def test_testing_for_writers_leaves_no_signal_behind(tmp_path: Path) -> None:
    """A broken lease sends SIGIO, whose default ends the process; SIGURG's does nothing."""
    assert signal.getsignal(signal.SIGURG) == signal.SIG_DFL
    assert not is_being_written(put(tmp_path / "a.csv"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows which files are being written")
def test_testing_for_writers_leaves_no_file_open_and_needs_no_lease(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv")
    assert not is_being_written(path)
    assert path.resolve() not in [each.resolve() for each in Path("/proc/self/fd").iterdir()]
    assert not is_being_written(Path("/proc/self/status"))  # its file system has no leases


def test_a_change_since_the_file_was_listed_is_noticed(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv")
    (seen,) = list_waiting_files(tmp_path)
    assert is_unchanged(seen)
    put(path, "other", at=1000.0)
    assert not is_unchanged(seen)
    path.unlink()
    assert not is_unchanged(seen)


def test_a_growing_file_is_known_to_be_changing(tmp_path: Path) -> None:
    growing = put(tmp_path / "growing.csv")
    ready = put(tmp_path / "ready.csv")
    clock = MeanwhileClock(lambda: put(growing, "xx"))
    found = wait_until_settled(tmp_path, 5.0, clock, threading.Event())
    assert [each.path for each in found.ready] == [ready]
    assert found.changing == {growing}


def test_a_file_that_cannot_be_opened_is_ready_so_that_reading_it_reports_that(tmp_path: Path) -> None:
    """A file that the lease test cannot open must not stay in the inbox for ever."""
    assert not is_being_written(tmp_path / "missing.csv")
    link = tmp_path / "link.csv"  # O_NOFOLLOW refuses it
    link.symlink_to(put(tmp_path / "a.csv"))
    assert not is_being_written(link)


def test_an_inbox_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        list_waiting_files(put(tmp_path / "no-folder"))
