"""A run or a check as programs read it: the object that `--json` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bulkupdate.customers.models import Problem, Status
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import BulkUpdateError, ExitCode, InputFileError, InternalError
from bulkupdate.runs.run_records import RunState


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
    return {"row": None, "column": None, "code": name_error(error), "message": str(error)}


def name_error(error: BulkUpdateError) -> ProblemCode:
    """Return the code of an error, from the name of its class: `busy`, `journal`."""
    if isinstance(error, InputFileError):
        return ProblemCode.REFUSED_FILE
    if isinstance(error, InternalError):
        return ProblemCode.BUG
    return ProblemCode[re.sub("(?<=[a-z])(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).upper()]
