"""Who is at work on a run: one process at a time, and a lock that a killed one cannot leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bulkupdate.errors import BusyError
from bulkupdate.runs.records import Run, RunState


@contextmanager
def hold_run(folder: Path, run_id: str) -> Iterator[None]:
    """Be the only one at work on this run. Raises `BusyError` where another process is."""
    try:
        with _lock(folder, run_id):
            yield
    except Timeout as error:
        raise BusyError(
            f"Run {run_id} is being sent by another process.",
            remedy=f"Wait for it, or stop it first; `bulkupdate show {run_id}` tells how far it is.",
        ) from error


def true_state(folder: Path, run: Run) -> RunState:
    """How far a run really is: one that is said to be running but that nobody works on has been stopped."""
    if run.state is not RunState.RUNNING:
        return run.state
    try:
        with _lock(folder, run.id):
            return RunState.STOPPED
    except Timeout:
        return RunState.RUNNING


def _lock(folder: Path, run_id: str) -> FileLock:
    locks = folder / "locks"
    locks.mkdir(mode=0o700, parents=True, exist_ok=True)
    return FileLock(locks / f"{run_id}.lock", timeout=0, mode=0o600)
