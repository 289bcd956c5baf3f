"""A run or a check as programs read it: the object that `--json` prints."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path

from bulkupdate.customers.models import Correction, Problem, Status
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.customers.row_reasons import RowReason
from bulkupdate.errors import BulkUpdateError, ExitCode, InputFileError, InternalError
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA, CorrectionObject, ProblemObject, ReasonObject, RunObject
from bulkupdate.runs.run_records import RunState
from bulkupdate.text import SuggestedCommand

_MAX_REASONS = 100


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """The result of a file, in one object.

    `run` is None if nothing was begun, `parent` the run that it retries or undoes, None if it is a file's own.
    `sheet` is the sheet of the workbook that was read, `recipe` the name of the recipe that was used, `host` the
    service; None if there is none. `started` and `ended` are ISO 8601 in UTC, None if unknown; `stopped_by` says why
    the run ended early, empty if it did not. `reasons` say why rows were not updated, the most frequent first;
    `corrections` are cells that were replaced before the checks. `calls` counts requests. `results` is the file of
    results or the check report, `html` and `annotated` the other reports of a check, `to_fix` the rows to correct; None
    if there is no such file. `next_command` is None if nothing is left to do.
    `error` is what ended the command before there was anything to count, `results_error` why there are no results.
    """

    run: str | None
    file: str | None
    state: RunState
    exit_code: ExitCode
    parent: str | None = None
    sheet: str | None = None
    recipe: str | None = None
    host: str | None = None
    started: str | None = None
    ended: str | None = None
    stopped_by: str = ""
    rows: int = 0
    counts: Mapping[Status, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    reasons: tuple[RowReason, ...] = ()
    corrections: tuple[Correction, ...] = ()
    calls: int = 0
    results: Path | None = None
    to_fix: Path | None = None
    html: Path | None = None
    annotated: Path | None = None
    next_command: SuggestedCommand | None = None
    error: BulkUpdateError | None = None
    results_error: BulkUpdateError | None = None

    def to_json(self) -> RunObject:
        """Return the object that `--json` prints."""
        errors = [_error_to_json(self.error, name_error(self.error))] if self.error else []
        errors += [_error_to_json(self.results_error, ProblemCode.RESULTS_NOT_WRITTEN)] if self.results_error else []
        return {
            "schema": JSON_SCHEMA,
            "run": self.run,
            "parent": self.parent,
            "file": self.file,
            "sheet": self.sheet,
            "recipe": self.recipe,
            "host": self.host,
            "state": self.state,
            "started": self.started,
            "ended": self.ended,
            "stopped_by": self.stopped_by or None,
            "rows": self.rows,
            "counts": dict(self.counts),
            "reasons": [_reason_to_json(reason) for reason in self.reasons[:_MAX_REASONS]],
            "problems": errors + list(map(_problem_to_json, self.problems)),
            "corrections": list(map(_correction_to_json, self.corrections)),
            "calls": self.calls,
            "exit_code": self.exit_code,
            "results": _path_to_json(self.results),
            "to_fix": _path_to_json(self.to_fix),
            "html": _path_to_json(self.html),
            "annotated": _path_to_json(self.annotated),
            "next": self.next_command,
            "next_args": ["bulkupdate", *self.next_command.arguments] if self.next_command else None,
        }


def report_sheet(
    file: str, rows: int, calls: int, exit_code: ExitCode, sheet: Path | None, next_command: SuggestedCommand | None
) -> RunReport:
    """Report a sheet that was written without sending anything: an undo sheet or an export."""
    return RunReport(
        run=None, file=file, state=RunState.FINISHED, exit_code=exit_code, rows=rows, calls=calls, results=sheet,
        next_command=next_command,
    )  # fmt: skip


def report_failure(error: BulkUpdateError, file: Path | str | None, run_id: str | None) -> RunReport:
    """Return a command that ended before there was anything to count."""
    file_name = str(file) if file else None
    return RunReport(run=run_id, file=file_name, state=RunState.STOPPED, exit_code=error.exit_code, error=error)


def _path_to_json(path: Path | None) -> str | None:
    return str(path) if path else None


def _reason_to_json(reason: RowReason) -> ReasonObject:
    return {
        "status": reason.status, "message": reason.message, "count": reason.count,
        "rows": list(reason.first_rows),
    }  # fmt: skip


def _problem_to_json(problem: Problem) -> ProblemObject:
    message = f"{problem.message}. {problem.remedy}"
    return {
        "row": problem.row, "column": problem.column, "code": problem.code, "message": message,
        "severity": problem.severity,
    }  # fmt: skip


def _correction_to_json(correction: Correction) -> CorrectionObject:
    row, column, before, after = astuple(correction)
    return {"row": row, "column": column, "before": before, "after": after}


def _error_to_json(error: BulkUpdateError, code: ProblemCode) -> ProblemObject:
    return {"row": None, "column": None, "code": code, "message": str(error)}


def name_error(error: BulkUpdateError) -> ProblemCode:
    """Return the code of an error, from the name of its class: `busy`, `journal`."""
    if isinstance(error, InputFileError):
        return ProblemCode.REFUSED_FILE
    if isinstance(error, InternalError):
        return ProblemCode.BUG
    return ProblemCode[re.sub("(?<=[a-z])(?=[A-Z])", "_", type(error).__name__.removesuffix("Error")).upper()]
