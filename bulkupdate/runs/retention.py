"""Delete runs: their rows, bodies, problems and previous values, and the lock files they left."""

from __future__ import annotations

from pathlib import Path

from bulkupdate.clock import format_utc
from bulkupdate.errors import UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.kept_files import delete_inputs_before, delete_kept_results
from bulkupdate.runs.run_lock import effective_state, lock_run
from bulkupdate.runs.run_records import Run, RunState


def delete_runs_before(journal: Journal, folder: Path, before: float) -> int:
    """Remove the runs that began before that time (seconds since 1970), but for those being sent just now.

    Nothing of them stays in the journal's file or its log. Results that were written stay, except those in the state
    folder itself, as do inputs. Returns how many they were. Raises `JournalError` if the journal cannot be written.
    """
    started_before = format_utc(before)
    old = [run for run in journal.runs() if run.started < started_before]
    at_work = [run.id for run in old if effective_state(journal, run) is RunState.RUNNING]
    journal.delete_searches(before)
    count = journal.purge(started_before, keep=at_work)
    for run in old:
        if run.id not in at_work:
            journal.home.remove_lock(run.id)
            delete_kept_results(folder, Path(run.results_path))
    delete_inputs_before(folder, before)
    return count


def delete_run(journal: Journal, folder: Path, run: Run) -> None:
    """Delete one run. Raises `BusyError` if it is being sent, `UsageError` if an older one would then be believed.

    What a run has sent replaces what older runs know about its customers: without it, `--since-last` would take their
    values for live ones, and `resume` would send them. So a run is deleted after the older ones of its customers.
    """
    with lock_run(journal, run.id):
        if older := journal.find_older_run(run):
            raise UsageError(
                f"Run {older} is older and has customers of this run, so the journal would take its values for the "
                "present ones.",
                remedy=f"Delete run {older} first.",
            )
        journal.delete_run(run)
    journal.home.remove_lock(run.id)
    delete_kept_results(folder, Path(run.results_path))
