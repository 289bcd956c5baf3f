"""The run that undoes another one, and whether it may still be sent as it was compared."""

from __future__ import annotations

from bulkupdate.clock import parse_utc
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import Run, RunState

COMPARISON_SECONDS = 900.0
"""How long a comparison may be acted on; after that, the customers are compared again."""


def find_undo(journal: Journal, run: Run) -> Run | None:
    """Return the newest run that undoes this one, sent or not; None if there is none."""
    return next((child for child in journal.child_runs(run) if child.options.undo), None)


def is_waiting(run: Run) -> bool:
    """Return whether the run undoes another one and nothing of it has been sent."""
    return bool(run.options.undo) and run.state is RunState.STOPPED and not run.finished


def is_outdated(run: Run, now: float) -> bool:
    """Return whether the run waits to be sent, but was compared too long ago; `now` in seconds since 1970."""
    return is_waiting(run) and now - parse_utc(run.started) > COMPARISON_SECONDS
