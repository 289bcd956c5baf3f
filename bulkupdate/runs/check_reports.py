"""Write the reports of a dry run: the workbook, the annotated copy and the HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bulkupdate.customers.models import Problem
from bulkupdate.errors import UsageError
from bulkupdate.files import check_writable
from bulkupdate.runs.check_summary import WrittenReports, list_problems, preview, summarise_check
from bulkupdate.runs.input_file import CheckedInput, RowSource
from bulkupdate.runs.live_findings import LiveFindings
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.writing.annotated_copy import annotated_path, annotation_blocker, write_annotated_copy
from bulkupdate.spreadsheets.writing.check_report import write_check_report
from bulkupdate.spreadsheets.writing.html_report import write_html_report


def write_check(
    intake: CheckedInput,
    settings: Settings,
    report: Path | None,
    page: Path | None,
    live: LiveFindings | None = None,
    planned: RowSource | None = None,
) -> WrittenReports:
    """Write the page and the workbook that are asked for (None: not), and the annotated copy beside the workbook.

    `live` is what the live customers say, None: they were not read. `planned` are the rows as they would be sent,
    None: as they are in the file. Raises `UsageError` if the page or the workbook cannot be written; a copy
    that cannot be made is only a note.
    """
    require_report_places(intake.path, report, page)
    summary = summarise_check(intake, settings.requests_per_hour, live)
    problems = list_problems(intake, live)
    changes = live.changes if live else None
    previewed = planned or intake
    if page is not None:
        title = intake.path.name
        previews = preview(previewed)
        write_html_report(page, title=title, problems=problems, previews=previews, changes=changes, summary=summary)
    copied = WrittenReports()
    if report is not None:
        write_check_report(
            report,
            problems=problems,
            previews=preview(previewed),
            changes=changes,
            summary=summary,
            matches=intake.matched.list_lines() if intake.matched else None,
        )
        copied = _annotate(intake, problems, report)
    return replace(copied, workbook=report, page=page)


def _annotate(intake: CheckedInput, problems: Sequence[Problem], report: Path) -> WrittenReports:
    """Make the annotated copy if there is something to mark; whatever prevents it does not hinder the check."""
    if not (intake.sheet_name and problems) or annotation_blocker(intake.path, len(intake.checked)) is not None:
        return WrittenReports()
    copy = annotated_path(report)
    is_id_added = intake.matched is not None and intake.matched.is_id_added
    try:
        losses = write_annotated_copy(
            intake.path,
            copy,
            sheet_name=intake.sheet_name,
            heading_row=intake.heading_row,
            headings=intake.checked.headings[:-1] if is_id_added else intake.checked.headings,
            key_heading=intake.matched.key_heading if intake.matched and is_id_added else intake.checked.key_heading,
            problems=problems,
        )
    except UsageError as error:
        return WrittenReports(notes=(f"{error} {error.remedy or ''}".strip(),))
    lacks = f"{copy.name} lacks what your file has besides: {', '.join(losses)}. Correct your own file."
    return WrittenReports(annotated=copy, notes=(lacks,) if losses else ())


def require_report_places(source: Path, report: Path | None, page: Path | None) -> None:
    """Raise `UsageError` where a report could not be written there, or would overwrite the file that is checked."""
    for path, endings in ((report, (".xlsx",)), (page, (".html", ".htm"))):
        if path is not None:
            check_writable(path, endings)
            if path.resolve() == source.resolve():
                raise UsageError(f"The report would overwrite {path}.", remedy="Name another file.")
