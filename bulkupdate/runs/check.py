"""The dry run's reports: the workbook, the annotated copy beside it, and the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bulkupdate.clock import format_duration
from bulkupdate.customers.records import Problem, Status
from bulkupdate.errors import UsageError
from bulkupdate.runs.intake import Intake, Sendable
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.annotated import annotated_path, why_not_annotated, write_annotated_copy
from bulkupdate.spreadsheets.check_report import write_check_report
from bulkupdate.spreadsheets.html_report import write_html_report
from bulkupdate.spreadsheets.output_file import check_writable

if TYPE_CHECKING:
    from bulkupdate.runs.changes import Findings

NOT_LOOKED_UP = "Whether the customers exist and what they hold now: `check --live` looks."
NOT_CHECKED = (
    "Whether the service accepts each value: it may have rules of its own, as for the ids of account managers.",
    "Whether a customer is changed by someone else before the rows are sent.",
)
LOGIN = "Whether the login works: `bulkupdate doctor` tells."
"""What a dry run cannot know, and what only a look at the live customers tells."""


def write_check(
    intake: Intake,
    settings: Settings,
    report: Path | None,
    page: Path | None,
    live: Findings | None = None,
    planned: Sendable | None = None,
) -> list[Path]:
    """Write the workbook and the page that are asked for (None: not), and the annotated copy beside the workbook.

    `live` is what a look at the live customers found, None: nobody looked. `planned` are the rows as they would be
    sent, None: as they stand in the file. Returns the files written. Raises `UsageError` where one cannot be.
    """
    require_report_places(intake.path, report, page)
    summary = summarise_check(intake, settings.requests_per_hour, live)
    problems = list_problems(intake, live)
    changes = live.changes if live else None
    previewed = planned or intake
    written = []
    if report is not None:
        write_check_report(report, problems=problems, previews=preview(previewed), changes=changes, summary=summary)
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
            page,
            title=intake.path.name,
            problems=problems,
            previews=preview(previewed),
            changes=changes,
            summary=summary,
        )
        written.append(page)
    return written


def require_report_places(source: Path, report: Path | None, page: Path | None) -> None:
    """Raise `UsageError` where a report could not be written there, or would overwrite the file that is checked."""
    for path, endings in ((report, (".xlsx",)), (page, (".html", ".htm"))):
        if path is not None:
            check_writable(path, endings)
            if path.resolve() == source.resolve():
                raise UsageError(f"The report would overwrite {path}.", remedy="Name another file.")


def list_problems(intake: Intake, live: Findings | None) -> tuple[Problem, ...]:
    """What is wrong in the file and what a look at the live customers added to that, in the order of the sheet."""
    if live is None or not live.unknown:
        return intake.checked.problems
    return tuple(sorted((*intake.checked.problems, *live.unknown), key=lambda problem: problem.row))


def count_rows(intake: Intake, live: Findings | None) -> dict[Status, int]:
    """The rows by status so far; those of unknown customers are invalid."""
    counts = dict(intake.checked.counts)
    sendable = {problem.row for problem in live.unknown} if live else set()
    if sendable:
        unknown = Counter(row.status for row in intake.checked.rows() if row.number in sendable)
        for status, count in unknown.items():
            counts[status] -= count
            counts[Status.INVALID] += count
    return counts


def preview(source: Sendable) -> Iterator[tuple[int, str, str]]:
    """Row, customer id and exact body of every row that would be sent."""
    return (
        (row.number, row.customer_id, row.body)
        for row in source.checked.rows()
        if row.body is not None and row.status is Status.NOT_ATTEMPTED
    )


def summarise_check(
    intake: Intake, requests_per_hour: int, live: Findings | None = None
) -> list[tuple[str, str | int]]:
    """The lines of a check report's Summary."""
    counts = count_rows(intake, live)
    to_send = counts[Status.NOT_ATTEMPTED]
    calls = to_send + 1 if to_send else 0
    return [
        ("File", intake.shown_as or str(intake.path)),
        *([("Sheet", intake.sheet_name)] if intake.sheet_name else []),
        ("Rows", len(intake.checked)),
        ("Valid, to be sent", counts[Status.NOT_ATTEMPTED]),
        ("Invalid", counts[Status.INVALID]),
        ("Nothing to send", counts[Status.UNCHANGED]),
        ("Calls needed", calls),
        ("Time needed", _estimate(calls, requests_per_hour)),
        *_summarise_look(live, to_send, requests_per_hour),
        *(("How it was read", note) for note in intake.notes),
        *(("Not checked", what) for what in (NOT_CHECKED if live else (NOT_LOOKED_UP, *NOT_CHECKED, LOGIN))),
    ]


def _summarise_look(live: Findings | None, to_send: int, requests_per_hour: int) -> list[tuple[str, str | int]]:
    """What the look at the live customers cost and found."""
    if live is None:
        return []
    share = [("That of an hour's quota", f"{live.calls / requests_per_hour:.1%}")] if requests_per_hour else []
    lines: list[tuple[str, str | int]] = [
        ("Calls this look has cost", live.calls),
        *share,
        ("Unknown customers", len(live.unknown)),
    ]
    if live.changes is not None:
        differing = to_send - live.same
        lines += [
            ("Rows already as wanted", live.same),
            ("Rows that differ", differing),
            ("Fields that would change", len(live.changes)),
            ("Calls with --only-changes", differing + live.calls if to_send else 0),
        ]
    return lines


def _estimate(calls: int, requests_per_hour: int) -> str:
    waits = -(-calls // requests_per_hour) - 1 if requests_per_hour else 0
    if waits <= 0:
        return "no waiting for quota, if the hour is unused"
    return f"at least {format_duration(waits * 3600)}, as the service allows {requests_per_hour:,} calls an hour"
