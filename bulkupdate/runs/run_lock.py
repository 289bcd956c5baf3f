"""Lock a run: one process at a time works on it, and a killed process leaves no lock behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bulkupdate.errors import BusyError
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.store.locks import hold_lock, lock_path

GLANCE_SECONDS = 0.3
"""How long a process that begins waits: one that only looks (`effective_state`) holds the lock for a moment, too."""


@contextmanager
def lock_run(folder: Path, run_id: str) -> Iterator[None]:
    """Be the only process that works on this run.

    Raises `BusyError` if another one does, `JournalError` if the folder takes no lock.
    """
    with hold_lock(folder, run_id, GLANCE_SECONDS) as is_held:
        if not is_held:
            raise _busy_error(run_id)
        yield


def effective_state(folder: Path, run: Run) -> RunState:
    """Return how far a run really is: one that counts as running but that no process works on has been stopped."""
    if run.state is not RunState.RUNNING:
        return run.state
    with hold_lock(folder, run.id, 0) as is_held:
        return RunState.STOPPED if is_held else RunState.RUNNING


def require_not_running(folder: Path, run: Run) -> None:
    """Raise `BusyError` if a process is working on this run."""
    if effective_state(folder, run) is RunState.RUNNING:
        raise _busy_error(run.id)


def remove_lock(folder: Path, run_id: str) -> None:
    """Delete the lock file of a run that was deleted; one that cannot be deleted stays."""
    with suppress(OSError):
        lock_path(folder, run_id).unlink()


def _busy_error(run_id: str) -> BusyError:
    return BusyError(
        f"Run {run_id} is being sent by another process.",
        remedy=f"Wait for it, or stop it first; `bulkupdate show {run_id}` tells how far it is.",
    )
