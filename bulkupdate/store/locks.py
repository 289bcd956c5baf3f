"""Locks between processes: released by the system if a process is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bulkupdate.errors import JournalError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_FOLDER = "locks"


@contextmanager
def hold_lock(folder: Path, name: str, wait_seconds: float) -> Iterator[bool]:
    """Hold a named lock of a state folder; yield False if another process keeps it for `wait_seconds`.

    Raises `JournalError` if no lock can be made in the folder.
    """
    lock = FileLock(lock_path(folder, name), mode=0o600)
    if not _acquire(lock, wait_seconds):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def lock_path(folder: Path, name: str) -> Path:
    """Return where the lock of that name is kept."""
    return folder / _FOLDER / f"{name}.lock"


def _acquire(lock: FileLock, wait_seconds: float) -> bool:
    try:
        Path(lock.lock_file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        return False
    except OSError as error:
        raise JournalError(
            f"The lock {lock.lock_file} cannot be taken: {error.strerror or error}.",
            remedy="Make its folder writable, and check that the disk is not full.",
        ) from error
    return True


@contextmanager
def take_turn(path: Path) -> Iterator[None]:
    """Hold the turn to write to a file: connections that want to write get it in the order they ask.

    SQLite's own waiting is in no order: a process with many short transactions would keep the others waiting for
    seconds. Without `flock` (Windows), SQLite's waiting must do. Raises `OSError`.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(path.with_name(f"{path.name}.turn"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
