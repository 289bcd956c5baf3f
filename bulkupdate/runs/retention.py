"""Delete old runs: their rows, bodies, problems and previous values, and the lock files they left."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from bulkupdate.clock import format_utc
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state, remove_lock
from bulkupdate.runs.run_records import RunState
from bulkupdate.spreadsheets.writing.to_fix_sheet import to_fix_path


def delete_runs_before(journal: Journal, folder: Path, before: float) -> int:
    """Remove the runs that began before that time (seconds since 1970), but for those being sent just now.

    Nothing of them stays in the journal's file or its log. Results that were written stay, except those in the state
    folder itself. Returns how many they were. Raises `JournalError` if the journal cannot be written.
    """
    started_before = format_utc(before)
    old = [run for run in journal.runs() if run.started < started_before]
    at_work = [run.id for run in old if effective_state(folder, run) is RunState.RUNNING]
    journal.delete_searches(before)
    count = journal.purge(started_before, keep=at_work)
    for run in old:
        if run.id not in at_work:
            remove_lock(folder, run.id)
            _remove_kept_results(folder, Path(run.results_path))
    return count


def results_folder(state_dir: Path) -> Path:
    """Return where the results of a run are kept if its input was not a file."""
    return state_dir / "results"


def _remove_kept_results(folder: Path, results: Path) -> None:
    if results.parent == results_folder(folder).resolve():
        for path in (results, to_fix_path(results)):
            with suppress(OSError):
                path.unlink()
