"""Find the files of the inbox that are ready: complete, and not open in another program."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.clock import Clock

try:
    import fcntl
except ImportError:  # Windows: a file that is open there cannot be moved, so claiming it fails
    fcntl = None  # type: ignore[assignment]  # what is not there is None

UNFINISHED_ENDINGS = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".download", ".swp")
"""Extensions that copying programs give a file until it is complete."""

SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, order=True)
class WaitingFile:
    """A file of the inbox as it was last seen; the oldest sorts first. `changed` is in nanoseconds since 1970."""

    changed: int
    path: Path
    size: int
    node: int


def list_waiting_files(inbox: Path) -> list[WaitingFile]:
    """Return the sheets in the inbox, oldest first.

    Links, folders, hidden files, incomplete copies and files that are open in Excel or LibreOffice are left out.
    """
    names = {path.name for path in inbox.iterdir()}
    return sorted(waiting for name in names if _has_ready_name(name, names) and (waiting := _stat_file(inbox / name)))


def wait_until_settled(inbox: Path, settle_seconds: float, clock: Clock, stop: threading.Event) -> list[WaitingFile]:
    """Return the sheets, oldest first, that did not change for `settle_seconds` and that no process is writing."""
    before = list_waiting_files(inbox)
    if not before or clock.wait(settle_seconds, stop):
        return []
    now = set(list_waiting_files(inbox))
    return [each for each in before if each in now and not is_being_written(each.path)]


def is_unchanged(waiting: WaitingFile) -> bool:
    """Return whether the file is still as it was last seen, and no process is writing it."""
    return _stat_file(waiting.path) == waiting and not is_being_written(waiting.path)


def is_being_written(path: Path) -> bool:
    """Return whether a process has the file open for writing; False if the system cannot tell.

    Linux grants a read lease only on a file that no process has open for writing (fcntl(2), F_SETLEASE). If another
    process opens the file while the lease is held, the kernel sends a signal: SIGURG, which is ignored, instead of
    SIGIO, which would end this process.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:  # it cannot be read either: reading it will report that
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:  # a file system without leases, or another user's file
        return False
    finally:
        os.close(descriptor)
    return False


def _has_ready_name(name: str, names: Container[str]) -> bool:
    lowered = name.lower()
    if lowered.startswith((".", "~$")) or lowered in SYSTEM_NAMES or lowered.endswith(UNFINISHED_ENDINGS):
        return False
    return not any(f"{name}{ending}" in names for ending in UNFINISHED_ENDINGS) and not (
        f"~${name}" in names or f".~lock.{name}#" in names
    )


def _stat_file(path: Path) -> WaitingFile | None:
    """Return the file as it is now; None if it is gone or not a regular file."""
    try:
        status = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return WaitingFile(status.st_mtime_ns, path, status.st_size, status.st_ino)
