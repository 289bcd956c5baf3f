"""Find the files of the inbox that are ready: complete, and not open in another program."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows: a file that is open there cannot be moved, so claiming it fails
    fcntl = None  # type: ignore[assignment]  # None: not available

UNFINISHED_ENDINGS = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".download", ".swp")
"""Extensions that copying programs give a file until it is complete."""

SYSTEM_NAMES = frozenset({"thumbs.db", "desktop.ini", ".ds_store", ".directory", ".gitkeep", ".keep"})
_SYSTEM_STARTS = ("~$", ".~lock.", "._", ".nfs")
"""Lock files of Excel and LibreOffice, companions of files from macOS, and deleted files of NFS that are still open."""


@dataclass(frozen=True, order=True)
class WaitingFile:
    """A file of the inbox as it was last seen; the oldest sorts first. `changed` is in nanoseconds since 1970."""

    changed: int
    path: Path
    size: int
    node: int


@dataclass(frozen=True)
class SettledInbox:
    """The files of the inbox after waiting: `ready` ones, oldest first, and those that another program is changing."""

    ready: tuple[WaitingFile, ...] = ()
    changing: frozenset[Path] = frozenset()


def list_names(inbox: Path) -> set[str]:
    """Return the names in the inbox. Raises `UsageError` if it cannot be read."""
    try:
        return {path.name for path in inbox.iterdir()}
    except OSError as error:
        raise UsageError(
            f"The folder {inbox} cannot be read: {error.strerror or error}.",
            remedy="Give the user that runs the program permission to read, write and enter it.",
        ) from error


def list_waiting_files(inbox: Path) -> list[WaitingFile]:
    """Return the sheets in the inbox, oldest first.

    Links, folders, hidden files, incomplete copies and files that are open in Excel or LibreOffice are left out.
    Raises `UsageError` if the inbox cannot be read.
    """
    names = list_names(inbox)
    visible = (name for name in names if not name.startswith(".") and not is_system_file(name))
    ready = (name for name in visible if find_blocker(name, names) is None)
    return sorted(waiting for name in ready if (waiting := _stat_file(inbox / name)))


def wait_until_settled(inbox: Path, settle_seconds: float, clock: Clock, stop: threading.Event) -> SettledInbox:
    """Return the sheets that did not change for `settle_seconds` and that no process is writing.

    None is ready once `stop` is set. Raises `UsageError` if the inbox cannot be read.
    """
    before = list_waiting_files(inbox)
    if not before or clock.wait(settle_seconds, stop):
        return SettledInbox()
    now = set(list_waiting_files(inbox))
    ready = tuple(waiting for waiting in before if waiting in now and not is_being_written(waiting.path))
    changing = {waiting.path for waiting in before} - {waiting.path for waiting in ready}
    return SettledInbox(ready, frozenset(changing))


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
    except OSError:  # reading it will report the error
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


def is_system_file(name: str) -> bool:
    """Return whether the name is that of a lock file or of a file of the operating system, not of a user."""
    return name.lower().startswith(_SYSTEM_STARTS) or name.lower() in SYSTEM_NAMES


def find_blocker(name: str, names: Collection[str]) -> str | None:
    """Return the name among `names` that shows that the file is open or incomplete; None if there is none.

    It is the lock file of Excel or LibreOffice, the partial copy beside the file, or the name of the file itself.
    """
    if name.lower().endswith(UNFINISHED_ENDINGS):
        return name
    candidates = (f"~${name}", f".~lock.{name}#", *(f"{name}{ending}" for ending in UNFINISHED_ENDINGS))
    return next((candidate for candidate in candidates if candidate in names), None)


def _stat_file(path: Path) -> WaitingFile | None:
    """Return the file as it is now; None if it is gone or not a regular file."""
    try:
        status = path.lstat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return WaitingFile(status.st_mtime_ns, path, status.st_size, status.st_ino)
