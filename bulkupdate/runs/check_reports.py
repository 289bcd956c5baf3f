"""The dry run's reports: the workbook, the annotated copy beside it, and the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bulkupdate.errors import UsageError
from bulkupdate.files import check_writable
from bulkupdate.runs.check_summary import list_problems, preview, summarise_check
from bulkupdate.runs.input_file import CheckedInput, RowSource
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.writing.annotated_copy import annotated_path, annotation_blocker, write_annotated_copy
from bulkupdate.spreadsheets.writing.check_report import write_check_report
from bulkupdate.spreadsheets.writing.html_report import write_html_report

if TYPE_CHECKING:
    from bulkupdate.runs.diff import Findings


def write_check(
    intake: CheckedInput,
    settings: Settings,
    report: Path | None,
    page: Path | None,
    live: Findings | None = None,
    planned: RowSource | None = None,
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
        if intake.sheet_name and problems and annotation_blocker(intake.path, len(intake.checked)) is None:
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
