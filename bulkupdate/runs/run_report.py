"""A run or a check as programs read it: the object that `--json` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bulkupdate.customers.models import Problem, Status
from bulkupdate.errors import BulkUpdateError, ExitCode, InputFileError, InternalError
from bulkupdate.runs.check_summary import count_rows, list_problems
from bulkupdate.runs.diff import Findings
from bulkupdate.runs.input_file import CheckedInput
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.runner import RunResult, next_command
from bulkupdate.spreadsheets.writing.results_workbook import to_fix_path


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What became of a file, in one object.

    `run` is None if nothing was begun. `started` is ISO 8601 in UTC, None if unknown. `calls` counts requests.
    `results` is the file of results or the check report, None if there is none; `next_command` is None if nothing is
    left to do. `error` is what ended the command before there was anything to count.
    """

    run: str | None
    file: str | None
    state: RunState
    exit_code: ExitCode
    started: str | None = None
    rows: int = 0
    counts: Mapping[Status, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    calls: int = 0
    results: Path | None = None
    next_command: str | None = None
    error: BulkUpdateError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "run": self.run,
            "file": self.file,
            "state": self.state.value,
            "started": self.started,
            "rows": self.rows,
            "counts": {status.value: count for status, count in self.counts.items()},
            "problems": [_error_to_json(self.error)] if self.error else list(map(_problem_to_json, self.problems)),
            "calls": self.calls,
            "exit_code": int(self.exit_code),
            "results": str(self.results) if self.results else None,
            "next": self.next_command,
        }


def find_unfinished(journal: Journal) -> Run | None:
    """Return the newest run that is not finished, even if another process is sending it; None if there is none."""
    return next((run for run in journal.runs() if run.state is not RunState.FINISHED), None)


def report_run(run: Run, journal: Journal, state_dir: Path) -> RunReport:
    """Return a run as it stands in the journal. Raises `JournalError`."""
    state = effective_state(state_dir, run)
    tally = journal.tally(run)
    results = Path(run.results_path)
    to_fix = to_fix_path(results)
    is_all_well = state is RunState.FINISHED and tally.is_all_well
    not_well = ExitCode.INCOMPLETE if state is RunState.FINISHED else ExitCode.STOPPED
    return RunReport(
        run=run.id,
        file=run.file,
        state=state,
        exit_code=ExitCode.DONE if is_all_well else not_well,
        started=run.started,
        rows=run.rows,
        counts=tally.counts,
        problems=tuple(journal.problems(run)),
        calls=run.calls,
        results=results if results.is_file() else None,
        next_command=next_command(run, tally, to_fix if to_fix.exists() else None),
    )


def report_ending(ending: RunResult, journal: Journal, state_dir: Path) -> RunReport:
    """Return a run that has just ended; results that could not be written are None, whatever is at their place.

    Raises `JournalError`.
    """
    return replace(
        report_run(ending.run, journal, state_dir),
        exit_code=ending.exit_code,
        results=ending.results,
        next_command=ending.next_command,
    )


def report_check(
    checked_input: CheckedInput,
    exit_code: ExitCode,
    report: Path | None,
    next_command: str | None,
    live: Findings | None = None,
) -> RunReport:
    """Return a file that was checked and not sent. `live` is what fetching live customers found, None: not fetched."""
    return RunReport(
        run=None,
        file=str(checked_input.path),
        state=RunState.FINISHED,
        exit_code=exit_code,
        rows=len(checked_input.checked),
        counts={status: count for status, count in count_rows(checked_input, live).items() if count},
        problems=tuple(list_problems(checked_input, live)),
        calls=live.calls if live else 0,
        results=report,
        next_command=next_command,
    )


def report_sheet(
    file: str, rows: int, calls: int, exit_code: ExitCode, sheet: Path | None, next_command: str | None
) -> RunReport:
    """Return a sheet that was written without sending anything: an undo sheet or an export."""
    return RunReport(
        run=None, file=file, state=RunState.FINISHED, exit_code=exit_code, rows=rows, calls=calls, results=sheet,
        next_command=next_command,
    )  # fmt: skip


def report_failure(error: BulkUpdateError, file: Path | None, run_id: str | None) -> RunReport:
    """Return a command that ended before there was anything to count."""
    file_name = str(file) if file else None
    return RunReport(run=run_id, file=file_name, state=RunState.STOPPED, exit_code=error.exit_code, error=error)


def _problem_to_json(problem: Problem) -> dict[str, Any]:
    message = f"{problem.message}. {problem.remedy}"
    return {
        "row": problem.row, "column": problem.column, "code": problem.code, "message": message,
        "severity": problem.severity.value,
    }  # fmt: skip


def _error_to_json(error: BulkUpdateError) -> dict[str, Any]:
    return {"row": None, "column": None, "code": _name_error(error), "message": str(error)}


def _name_error(error: BulkUpdateError) -> str:
    """Return the error's class as a word for programs: `busy`, `journal`."""
    if isinstance(error, InputFileError):
        return "refused-file"
    if isinstance(error, InternalError):
        return "bug"
    return re.sub("(?<=[a-z])(?=[A-Z])", "-", type(error).__name__.removesuffix("Error")).lower()
