"""What the functions return: counts, exit code, problems and results, as records and DataFrames."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from bulkupdate.customers.models import RESULT_COLUMNS, CheckedRow, Problem, ResultLine
from bulkupdate.errors import BulkUpdateError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.reporting.journal_report import report_result, report_run
from bulkupdate.runs.reporting.run_report import RunReport
from bulkupdate.runs.reporting.run_result import RunResult
from bulkupdate.runs.run_records import Run

_PROBLEM_COLUMNS = ("Row", "CustomerId", "Column", "Value", "Code", "Problem", "HowToFix", "Severity")


@dataclass(frozen=True, eq=False)
class Results:
    """What happened, or with `check` would happen, to each row.

    `run_id` is None if nothing was begun; `state` is "running", "stopped" or "finished". `exit_code` is that of the
    command. `counts` has the number of rows by status. `problems` has one line for each problem. `results` has one line
    for each row, under its row number: an Excel row of a file, the index of a DataFrame; `FieldsSent` is a list, and
    after a check `Body` is the exact update, missing for a row that would not be sent. `requests` were used. `error` is
    what stopped the run early, None if nothing did. `results_path` and `to_fix_path` are the files that were written,
    None if there is no such file.
    """

    run_id: str | None
    state: str
    exit_code: int
    counts: dict[str, int]
    problems: pd.DataFrame = field(repr=False)
    results: pd.DataFrame = field(repr=False)
    requests: int = 0
    error: BulkUpdateError | None = None
    results_path: Path | None = None
    to_fix_path: Path | None = None


def describe_run(run: Run, context: RunContext) -> Results:
    """Return a run as it stands in the journal. Raises `JournalError`."""
    return _describe_report(report_run(run, context.journal), run, context)


def describe_result(result: RunResult, context: RunContext) -> Results:
    """Return a run that has just ended. Raises `JournalError`."""
    report = report_result(result, context.journal)
    return _describe_report(report, result.run, context, result.error or result.results_error)


def describe_rows(report: RunReport, rows: Iterable[CheckedRow]) -> Results:
    """Return rows that were checked and not sent."""
    lines = []
    for row in rows:
        line = ResultLine(row.number, row.customer_id, row.status, None, 0, row.fields, row.reason, "", ())
        lines.append((*line.list_values(), row.body))
    return _combine(report, pd.DataFrame(lines, columns=[*RESULT_COLUMNS, "Body"]))


def _describe_report(report: RunReport, run: Run, context: RunContext, error: BulkUpdateError | None = None) -> Results:
    lines = [line.list_values() for line in context.journal.lines(run)]
    return _combine(report, pd.DataFrame(lines, columns=list(RESULT_COLUMNS)), error)


def _combine(report: RunReport, results: pd.DataFrame, error: BulkUpdateError | None = None) -> Results:
    return Results(
        run_id=report.run,
        state=report.state.value,
        exit_code=int(report.exit_code),
        counts={status.value: count for status, count in report.counts.items()},
        problems=_list_problems(report.problems),
        results=results.astype({"HttpStatus": "Int64"}).set_index("Row"),
        requests=report.calls,
        error=error,
        results_path=report.results,
        to_fix_path=report.to_fix,
    )


def _list_problems(problems: Iterable[Problem]) -> pd.DataFrame:
    lines = [
        (problem.row, problem.customer_id, problem.column, problem.value, str(problem.code), problem.message,
         problem.remedy, problem.severity.value)
        for problem in problems
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=list(_PROBLEM_COLUMNS))
