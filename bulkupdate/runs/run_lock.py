"""Lock a run: one process at a time works on it, and a killed process leaves no lock behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bulkupdate.errors import BusyError, JournalError
from bulkupdate.runs.run_records import Run, RunState

GLANCE_SECONDS = 0.3
"""Whoever begins waits so long: someone who only looks (`effective_state`) holds the lock for a moment, too."""


@contextmanager
def lock_run(folder: Path, run_id: str) -> Iterator[None]:
    """Be the only one at work on this run.

    Raises `BusyError` where another process is, `JournalError` where the folder takes no lock.
    """
    lock = _lock(folder, run_id)
    try:
        _acquire(lock, GLANCE_SECONDS)
    except Timeout as error:
        raise _refuse(run_id) from error
    try:
        yield
    finally:
        lock.release()


def effective_state(folder: Path, run: Run) -> RunState:
    """How far a run really is: one that is said to be running but that nobody works on has been stopped."""
    if run.state is not RunState.RUNNING:
        return run.state
    lock = _lock(folder, run.id)
    try:
        _acquire(lock, 0)
    except Timeout:
        return RunState.RUNNING
    lock.release()
    return RunState.STOPPED


def require_not_running(folder: Path, run: Run) -> None:
    """Raise `BusyError` where a process is at work on this run."""
    if effective_state(folder, run) is RunState.RUNNING:
        raise _refuse(run.id)


def _refuse(run_id: str) -> BusyError:
    return BusyError(
        f"Run {run_id} is being sent by another process.",
        remedy=f"Wait for it, or stop it first; `bulkupdate show {run_id}` tells how far it is.",
    )


def _acquire(lock: FileLock, seconds: float) -> None:
    try:
        Path(lock.lock_file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire(timeout=seconds)
    except Timeout:
        raise
    except OSError as error:
        raise JournalError(
            f"The lock {lock.lock_file} cannot be taken: {error.strerror or error}.",
            remedy="Make its folder writable and see that the disk is not full.",
        ) from error


def _lock(folder: Path, run_id: str) -> FileLock:
    return FileLock(folder / "locks" / f"{run_id}.lock", mode=0o600)
