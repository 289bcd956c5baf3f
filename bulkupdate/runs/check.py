"""The dry run's reports: the workbook, the annotated copy beside it, and the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bulkupdate.clock import format_duration
from bulkupdate.customers.records import Status
from bulkupdate.errors import UsageError
from bulkupdate.runs.intake import Intake
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.annotated import annotated_path, why_not_annotated, write_annotated_copy
from bulkupdate.spreadsheets.check_report import write_check_report
from bulkupdate.spreadsheets.html_report import write_html_report
from bulkupdate.spreadsheets.output_file import check_writable

NOT_CHECKED = (
    "Whether the customers exist and what they hold now: `check --live` looks.",
    "Whether the service accepts each value: it may have rules of its own, as for the ids of account managers.",
    "Whether the login works: `bulkupdate doctor` tells.",
)
"""What a dry run cannot know."""


def write_check(intake: Intake, settings: Settings, report: Path | None, page: Path | None) -> list[Path]:
    """Write the workbook and the page that are asked for (None: not), and the annotated copy beside the workbook.

    Returns the files written. Raises `UsageError` where one cannot be.
    """
    for path, endings in ((report, (".xlsx",)), (page, (".html", ".htm"))):
        if path is not None:
            check_writable(path, endings)
            if path.resolve() == intake.path.resolve():
                raise UsageError(f"The report would overwrite {path}.", remedy="Name another file.")
    summary = summarise_check(intake, settings.requests_per_hour)
    problems = intake.checked.problems
    written = []
    if report is not None:
        write_check_report(report, problems=problems, previews=preview(intake), changes=None, summary=summary)
        written.append(report)
        if intake.sheet_name and problems and why_not_annotated(intake.path, len(intake.checked)) is None:
            copy = annotated_path(report)
            write_annotated_copy(
                intake.path,
                copy,
                sheet_name=intake.sheet_name,
                heading_row=intake.heading_row,
                headings=intake.checked.headings,
                key_heading=intake.checked.key_heading,
                problems=problems,
            )
            written.append(copy)
    if page is not None:
        write_html_report(
            page, title=intake.path.name, problems=problems, previews=preview(intake), changes=None, summary=summary
        )
        written.append(page)
    return written


def preview(intake: Intake) -> Iterator[tuple[int, str, str]]:
    """Row, customer id and exact body of every row that would be sent."""
    return ((row.number, row.customer_id, row.body) for row in intake.checked.rows() if row.body is not None)


def summarise_check(intake: Intake, requests_per_hour: int) -> list[tuple[str, str | int]]:
    """The lines of a check report's Summary."""
    counts = intake.checked.counts
    calls = intake.to_send + 1 if intake.to_send else 0
    return [
        ("File", intake.shown_as or str(intake.path)),
        *([("Sheet", intake.sheet_name)] if intake.sheet_name else []),
        ("Rows", len(intake.checked)),
        ("Valid, to be sent", counts[Status.NOT_ATTEMPTED]),
        ("Invalid", counts[Status.INVALID]),
        ("Nothing to send", counts[Status.UNCHANGED]),
        ("Calls needed", calls),
        ("Time needed", _estimate(calls, requests_per_hour)),
        *(("How it was read", note) for note in intake.notes),
        *(("Not checked", what) for what in NOT_CHECKED),
    ]


def _estimate(calls: int, requests_per_hour: int) -> str:
    waits = -(-calls // requests_per_hour) - 1 if requests_per_hour else 0
    if waits <= 0:
        return "no waiting for quota, if the hour is unused"
    return f"at least {format_duration(waits * 3600)}, as the service allows {requests_per_hour:,} calls an hour"
