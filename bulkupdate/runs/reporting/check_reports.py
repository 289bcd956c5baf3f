"""Write the reports of a dry run: the workbook, the annotated copy and the HTML page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bulkupdate.customers.models import CheckedRow, Problem
from bulkupdate.errors import UsageError
from bulkupdate.runs.live.live_findings import LiveFindings
from bulkupdate.runs.loading.input_file import CheckedInput
from bulkupdate.runs.reporting.check_summary import WrittenReports, list_problems, preview, summarise_check
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.writing.annotated_copy import (
    MarkedCopy,
    annotated_path,
    annotation_blocker,
    write_annotated_copy,
)
from bulkupdate.spreadsheets.writing.check_report import write_check_report
from bulkupdate.spreadsheets.writing.html_report import write_html_report
from bulkupdate.spreadsheets.writing.output_place import require_output_place
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind


def write_check(
    checked_input: CheckedInput,
    settings: Settings,
    report: Path | None,
    page: Path | None,
    live: LiveFindings | None = None,
    planned: Callable[[], Iterable[CheckedRow]] | None = None,
    word: Callable[[str], str] = str,
    *,
    is_downloaded: bool = False,
) -> WrittenReports:
    """Write the requested page and workbook (None: not requested), and the annotated copy beside the workbook.

    `live` is the comparison with the live customers, None: they were not read. `planned` are the rows as they would be
    sent, None: as they are in the file. `word` rephrases what was not checked for the caller's users, empty to leave it
    out. `is_downloaded`: report and copy are renamed later, so a link would not find the copy. Raises `UsageError` if
    the page or the workbook cannot be written; a copy that cannot be made is only a note.
    """
    require_report_places(checked_input.path, report, page, force=True)  # without `force` it was checked before
    summary = summarise_check(checked_input, settings.requests_per_hour, live, word)
    problems = list_problems(checked_input, live)
    changes = live.changes if live else None

    def list_previews() -> Iterable[tuple[int, str, str]]:
        return checked_input.checked.previews() if planned is None else preview(planned())

    if page is not None:
        title = checked_input.path.name
        write_html_report(
            page, title=title, problems=problems, previews=list_previews(), changes=changes, summary=summary
        )
    copied, copy = WrittenReports(), None
    if report is not None:
        copied, copy = _annotate(checked_input, problems, report)
        write_check_report(
            report,
            problems=problems,
            previews=list_previews(),
            changes=changes,
            summary=summary,
            corrections=checked_input.corrections,
            matches=checked_input.matched.list_lines() if checked_input.matched else None,
            copy=None if is_downloaded else copy,
        )
    return replace(copied, workbook=report, page=page)


def _annotate(
    checked_input: CheckedInput, problems: Sequence[Problem], report: Path
) -> tuple[WrittenReports, MarkedCopy | None]:
    """Make the annotated copy if there is something to mark; if that fails, the check continues."""
    checked, matched = checked_input.checked, checked_input.matched
    is_blocked = annotation_blocker(checked_input.path, len(checked)) is not None
    if not checked_input.sheet_name or not problems or is_blocked:
        return WrittenReports(), None
    is_id_added = matched is not None and matched.is_id_added
    try:
        copy = write_annotated_copy(
            checked_input.path,
            annotated_path(report),
            sheet_name=checked_input.sheet_name,
            heading_row=checked_input.heading_row,
            headings=checked.headings[:-1] if is_id_added else checked.headings,
            key_heading=matched.key_heading if matched and is_id_added else checked.key_heading,
            problems=problems,
        )
    except UsageError as error:
        return WrittenReports(notes=(f"{error} {error.remedy or ''}".strip(),)), None
    lacks = f"{copy.path.name} lacks these parts of your file: {', '.join(copy.losses)}. Correct your own file."
    return WrittenReports(annotated=copy.path, notes=(lacks,) if copy.losses else ()), copy


def require_report_places(source: Path, report: Path | None, page: Path | None, *, force: bool = False) -> None:
    """Raise `UsageError` if a report cannot or must not be written there (`output_place.py`); None: no such report."""
    if page is not None:
        require_output_place(page, OwnFileKind.CHECK_PAGE, (source,), force=force)
    if report is not None:
        require_output_place(report, OwnFileKind.CHECK_REPORT, (source,), force=force)
        require_output_place(annotated_path(report), OwnFileKind.ANNOTATED_COPY, (source,), force=force)
