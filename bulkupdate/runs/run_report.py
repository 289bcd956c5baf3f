"""A run, or a check, as programs read it: the object that `--json` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulkupdate.customers.models import Problem
from bulkupdate.errors import BulkUpdateError, ExitCode, InputFileError, InternalError
from bulkupdate.runs.check_summary import count_rows, list_problems
from bulkupdate.runs.input_file import CheckedInput
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.runner import RunResult, next_command
from bulkupdate.spreadsheets.writing.results_workbook import to_fix_path

if TYPE_CHECKING:
    from bulkupdate.runs.diff import Findings


def find_unfinished(journal: Journal) -> Run | None:
    """The newest run that is not finished, whoever may be at work on it; None if there is none."""
    return next((run for run in journal.runs() if run.state is not RunState.FINISHED), None)


def describe_run(run: Run, journal: Journal, folder: Path) -> dict[str, Any]:
    """One run, as it stands in the journal."""
    state = effective_state(folder, run)
    tally = journal.tally(run)
    results = Path(run.results_path)
    to_fix = to_fix_path(results)
    is_all_well = state is RunState.FINISHED and tally.is_all_well
    stopped = ExitCode.INCOMPLETE if state is RunState.FINISHED else ExitCode.STOPPED
    return _describe(
        run=run.id,
        file=run.file,
        state=state.value,
        started=run.started,
        rows=run.rows,
        counts={status.value: count for status, count in tally.counts.items()},
        problems=journal.problems(run),
        calls=run.calls,
        exit_code=ExitCode.DONE if is_all_well else stopped,
        results=results if results.is_file() else None,
        next_step=next_command(run, tally, to_fix if to_fix.exists() else None),
    )


def describe_ending(ending: RunResult, journal: Journal, folder: Path) -> dict[str, Any]:
    """A run that has just ended; results that could not be written are None, whatever is at their place."""
    return {
        **describe_run(ending.run, journal, folder),
        "exit_code": int(ending.exit_code),
        "results": str(ending.results) if ending.results else None,
        "next": ending.next_command,
    }


def describe_check(
    intake: CheckedInput,
    exit_code: ExitCode,
    report: Path | None,
    next_step: str | None,
    started: str | None = None,
    live: Findings | None = None,
) -> dict[str, Any]:
    """A file that was checked and not sent. `live` is what a look at the live customers found, None: nobody looked."""
    return _describe(
        run=None,
        file=str(intake.path),
        state=RunState.FINISHED.value,
        started=started,
        rows=len(intake.checked),
        counts={status.value: count for status, count in count_rows(intake, live).items() if count},
        problems=list_problems(intake, live),
        calls=live.calls if live else 0,
        exit_code=exit_code,
        results=report,
        next_step=next_step,
    )


def describe_failure(error: BulkUpdateError, file: Path | None, run_id: str | None) -> dict[str, Any]:
    """A command that ended before there was anything to count."""
    described = _describe(
        run=run_id,
        file=str(file) if file else None,
        state=RunState.STOPPED.value,
        started=None,
        rows=0,
        counts={},
        problems=(),
        calls=0,
        exit_code=error.exit_code,
        results=None,
        next_step=None,
    )
    problem = {"row": None, "column": None, "code": _name_of(error), "message": str(error)}
    return {**described, "problems": [problem]}


def _name_of(error: BulkUpdateError) -> str:
    """The error's class as a word for programs: `busy`, `journal`."""
    if isinstance(error, InputFileError):
        return "refused-file"
    if isinstance(error, InternalError):
        return "bug"
    return re.sub("(?<=[a-z])(?=[A-Z])", "-", type(error).__name__.removesuffix("Error")).lower()


def _describe(
    *,
    run: str | None,
    file: str | None,
    state: str,
    started: str | None,
    rows: int,
    counts: Mapping[str, int],
    problems: Sequence[Problem],
    calls: int,
    exit_code: ExitCode,
    results: Path | None,
    next_step: str | None,
) -> dict[str, Any]:
    return {
        "run": run,
        "file": file,
        "state": state,
        "started": started,
        "rows": rows,
        "counts": dict(counts),
        "problems": [
            {"row": each.row, "column": each.column, "code": each.code, "message": f"{each.message}. {each.remedy}",
             "severity": each.severity.value}
            for each in problems
        ],
        "calls": calls,
        "exit_code": int(exit_code),
        "results": str(results) if results else None,
        "next": next_step,
    }  # fmt: skip
