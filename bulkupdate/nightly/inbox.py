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
except ImportError:  # Windows: there a file that is open cannot be moved, which is found on moving
    fcntl = None  # type: ignore[assignment]  # what is not there is None

UNFINISHED_ENDINGS = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".download", ".swp")
"""What programs that copy call a file until it is whole."""

SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, order=True)
class WaitingFile:
    """A file of the inbox as it was seen; the oldest sorts first. `changed` is in nanoseconds since 1970."""

    changed: int
    path: Path
    size: int
    node: int


def look(inbox: Path) -> list[WaitingFile]:
    """Return the sheets in the inbox, oldest first.

    Links, folders, hidden files, half-copied ones and those that Excel or LibreOffice has open are none.
    """
    names = {path.name for path in inbox.iterdir()}
    return sorted(seen for name in names if _may_be_taken(name, names) and (seen := _see(inbox / name)))


def wait_until_settled(inbox: Path, settle_seconds: float, clock: Clock, stop: threading.Event) -> list[WaitingFile]:
    """Return the sheets, oldest first, that did not change for `settle_seconds` and that nobody is writing."""
    before = look(inbox)
    if not before or clock.wait(settle_seconds, stop):
        return []
    now = set(look(inbox))
    return [each for each in before if each in now and not is_being_written(each.path)]


def is_unchanged(waiting: WaitingFile) -> bool:
    """Whether the file still is as it was seen, however long ago that was."""
    return _see(waiting.path) == waiting and not is_being_written(waiting.path)


def is_being_written(path: Path) -> bool:
    """Whether some process has the file open for writing, as far as the system tells; False where it does not.

    Linux grants a read lease only on a file that nobody has open for writing (fcntl(2), F_SETLEASE). Who opens it in
    the instant the lease is held breaks it, and the kernel tells us by a signal: SIGURG, which nobody minds, instead
    of SIGIO, which would end the process.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:  # it cannot even be read: reading it says so
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


def _may_be_taken(name: str, names: Container[str]) -> bool:
    lowered = name.lower()
    if lowered.startswith((".", "~$")) or lowered in SYSTEM_NAMES or lowered.endswith(UNFINISHED_ENDINGS):
        return False
    return not any(f"{name}{ending}" in names for ending in UNFINISHED_ENDINGS) and not (
        f"~${name}" in names or f".~lock.{name}#" in names
    )


def _see(path: Path) -> WaitingFile | None:
    """Return what the file looks like now; None for what is gone or no ordinary file."""
    try:
        status = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return WaitingFile(status.st_mtime_ns, path, status.st_size, status.st_ino)
