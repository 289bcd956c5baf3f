"""Report runs as the journal has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bulkupdate.customers.row_reasons import NOT_UPDATED, group_row_reasons
from bulkupdate.errors import ExitCode
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.run_report import RunReport
from bulkupdate.runs.reporting.run_result import RunResult, next_command
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import TO_FIX, Run, RunState, StatusCounts
from bulkupdate.spreadsheets.writing.to_fix_sheet import to_fix_path


def find_unfinished(journal: Journal) -> Run | None:
    """Return the newest run that is not finished, even if another process is sending it; None if there is none."""
    return next((run for run in journal.unfinished_runs() if not run.options.probe), None)


def report_run(run: Run, journal: Journal) -> RunReport:
    """Return a run as the journal has it. Raises `JournalError`."""
    state = effective_state(journal, run)
    tally = journal.tally(run)
    results = Path(run.results_path)
    to_fix = _find_to_fix(run, tally)
    is_all_well = state is RunState.FINISHED and tally.is_all_well
    not_well = ExitCode.INCOMPLETE if state is RunState.FINISHED else ExitCode.STOPPED
    return RunReport(
        run=run.id,
        file=run.file,
        state=state,
        exit_code=ExitCode.DONE if is_all_well else not_well,
        parent=run.parent,
        sheet=run.options.sheet or None,
        recipe=run.options.recipe or None,
        host=run.host,
        started=run.started,
        ended=run.finished or None,
        stopped_by=run.stopped_by,
        rows=run.rows,
        counts=tally.counts,
        problems=tuple(journal.problems(run)),
        corrections=tuple(journal.corrections(run)),
        reasons=tuple(group_row_reasons(journal.lines(run, NOT_UPDATED))),
        calls=run.calls,
        results=results if results.is_file() else None,
        to_fix=to_fix,
        next_command=next_command(run, tally, to_fix),
    )


def _find_to_fix(run: Run, tally: StatusCounts) -> Path | None:
    """Return the run's to-fix file; None if no row is to be corrected, or the file is gone."""
    path = to_fix_path(Path(run.results_path))
    return path if any(tally[status] for status in TO_FIX) and path.is_file() else None


def report_result(result: RunResult, journal: Journal) -> RunReport:
    """Return a run that has just ended; results that could not be written are None, even if an older file exists.

    Raises `JournalError`.
    """
    return replace(
        report_run(result.run, journal),
        exit_code=result.exit_code,
        results=result.results,
        to_fix=result.to_fix,
        results_error=result.results_error,
        next_command=result.next_command,
    )
