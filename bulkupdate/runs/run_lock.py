"""Lock a run: one process at a time works on it, and a killed process leaves no lock behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bulkupdate.errors import BusyError, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import Run, RunState

GLANCE_SECONDS = 0.3
"""How long a process waits for the lock, which `effective_state` in another process may hold for a moment."""


@contextmanager
def lock_run(journal: Journal, run_id: str) -> Iterator[None]:
    """Be the only process that works on this run.

    Raises `BusyError` if another one does, `JournalError` if no lock can be taken.
    """
    with journal.home.hold_lock(run_id, GLANCE_SECONDS) as is_held:
        if not is_held:
            raise _busy_error(run_id)
        yield


def effective_state(journal: Journal, run: Run) -> RunState:
    """Return the actual state of a run: one that is recorded as running, but has no process, was stopped."""
    if run.state is not RunState.RUNNING:
        return run.state
    if journal.home.is_locked(run.id):
        return RunState.RUNNING
    with suppress(UsageError):  # it has been deleted
        run = journal.find_run(run.id)  # it may have ended since it was read
    return RunState.STOPPED if run.state is RunState.RUNNING else run.state


def require_not_running(journal: Journal, run: Run) -> None:
    """Raise `BusyError` if a process is working on this run."""
    if effective_state(journal, run) is RunState.RUNNING:
        raise _busy_error(run.id)


def _busy_error(run_id: str) -> BusyError:
    return BusyError(
        f"Run {run_id} is being sent by another process.",
        remedy=f"Wait for it, or stop it first; `bulkupdate show {run_id}` shows its progress.",
    )
