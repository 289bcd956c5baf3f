"""Check an upload in a separate process with limits on memory and time, to contain malicious files."""

from __future__ import annotations

import contextlib
import logging
import warnings
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from bulkupdate.clock import Clock
from bulkupdate.crash_report import log_crash
from bulkupdate.customers.recipe import format_recipe, make_recipe_name
from bulkupdate.errors import BulkUpdateError, InputFileError, ReaderBugError
from bulkupdate.garbage import collect_rarely
from bulkupdate.redaction import Secret
from bulkupdate.runs.loading.input_file import CheckedInput, load_input_file
from bulkupdate.runs.loading.recipe_folder import ENDING, remember_recipe
from bulkupdate.runs.loading.recipe_making import make_recipe
from bulkupdate.runs.loading.sheet_layout import find_layouts
from bulkupdate.runs.reporting.check_reports import write_check
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.writing.annotated_copy import annotated_path
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.uploads.check_outcome import save_needed_search, save_refusal
from bulkupdate.web.uploads.check_store import save_check
from bulkupdate.web.uploads.found_customers import SearchNeededError, find_in
from bulkupdate.web.uploads.layout_store import save_layouts
from bulkupdate.web.uploads.live_changes import read_findings
from bulkupdate.web.uploads.process_limits import limit_process
from bulkupdate.web.uploads.upload_store import Upload

log = logging.getLogger("bulkupdate.web")

MEMORY_BYTES = 640 << 20
"""Memory limit of a check, as RLIMIT_DATA counts it (private writable pages); a check actually uses less."""

MAX_SECONDS = 90
"""Time limit of a check or a report. The largest sheets take about twenty seconds."""

NICENESS = 5
"""A check gives way to the pages and to the runs that are being sent."""

MAX_UNPACKED_BYTES = 400 << 20
"""Limit on the unpacked size of a workbook; 100,000 rows with all fields take about 150 MiB."""

MAX_LAYOUT_BYTES = 20 << 20
"""Of larger files that are refused, the columns are not shown; of files that are not refused, it is a tenth."""


def report_path(upload: Upload) -> Path:
    """Return where the check report of an upload is; another one after the way it is read was changed."""
    return upload.folder / f"check-report-{upload.revision}.xlsx"


def list_reports(upload: Upload) -> list[Path]:
    """Return where the reports of an upload are, once they are written: workbook, page and annotated copy."""
    path = report_path(upload)
    return [path, path.with_suffix(".html"), annotated_path(path)]


@dataclass(frozen=True)
class CheckTask:
    """The work of the process: the check, or the report of a checked upload."""

    upload: Upload
    settings: Settings
    is_report: bool = False


def limit_settings(settings: Settings) -> Settings:
    """Return the settings for a check: without secrets, and with the limits of the upload page."""
    unpacked = min(settings.max_unpacked_bytes, MAX_UNPACKED_BYTES)
    return replace(settings, password=Secret(""), password_file="", max_unpacked_bytes=unpacked)


def work_within_limits(task: CheckTask) -> None:
    """Do the task within limits on time and memory; the process does nothing else."""
    limit_process(MEMORY_BYTES, MAX_SECONDS, NICENESS)
    collect_rarely()
    warnings.simplefilter("ignore")  # a library's warnings mean nothing to the user
    try:
        work(task)
    except MemoryError:
        if task.is_report:
            raise
        with contextlib.suppress(OSError):
            save_refusal(task.upload, *TOO_LARGE)


TOO_LARGE = (
    "Checking this file took more memory or time than an upload may use.",
    "Split it into several sheets, or save it as “CSV UTF-8”.",
)
"""The message for the user, and the remedy."""


def work(task: CheckTask) -> None:
    """Check an upload and store the outcome, or write its report and the annotated copy."""
    upload = task.upload
    try:
        checked_input = _load(upload, task.settings)
        if task.is_report:
            report, page, _ = list_reports(upload)
            live = read_findings(upload)
            write_check(checked_input, task.settings, report, page, live, word=say_on_page, is_downloaded=True)
        else:
            if upload.key and not checked_input.used.recipe:
                with contextlib.suppress(BulkUpdateError):  # what was checked counts all the same
                    checked_input = _remember_key(upload, task.settings)
            _keep_recipe(upload, checked_input)
            _keep_layouts(upload, task.settings, MAX_LAYOUT_BYTES // 10)
            save_check(upload, checked_input)
    except SearchNeededError as needed:
        save_needed_search(upload, needed.count)
    except BulkUpdateError as error:
        if task.is_report:
            raise
        if isinstance(error, ReaderBugError):
            log_crash(task.settings.state_dir, error, [], Clock(), log)
        if isinstance(error, InputFileError) and not isinstance(error, ReaderBugError):
            _keep_layouts(upload, task.settings, MAX_LAYOUT_BYTES)
        save_refusal(upload, _rename(str(error), upload), error.remedy and _rename(error.remedy, upload))


def _load(upload: Upload, settings: Settings) -> CheckedInput:
    settings = replace(settings, username=upload.owner)  # whose recipes count
    checked_input = load_input_file(upload.path, settings, upload.options, find_in(upload.folder))
    notes = tuple(_rename(note, upload) for note in checked_input.notes)
    problems = tuple(
        replace(problem, message=say_on_page(problem.message), remedy=say_on_page(problem.remedy))
        for problem in checked_input.problems
    )
    checked = replace(checked_input.checked, problems=problems)
    used = replace(checked_input.used, lookup=upload.lookup, reading="")  # options of the command line
    return replace(checked_input, notes=notes, shown_as=upload.name, checked=checked, used=used)


def _remember_key(upload: Upload, settings: Settings) -> CheckedInput:
    """Remember the column that the customers were found by as a recipe of the user; return the sheet as read by it.

    The lookup sheet is not kept: it would be out of date one day.
    """
    options = replace(upload.options, corrections=None)
    recipe = make_recipe(make_recipe_name(PurePath(upload.name).stem), upload.path, settings, options, upload.owner)
    kept = remember_recipe(settings.state_dir, replace(recipe, lookup=""))
    (upload.folder / f"{kept.name}{ENDING}").write_text(format_recipe(kept), encoding="utf-8")
    return _load(upload, settings)


def _keep_recipe(upload: Upload, checked_input: CheckedInput) -> None:
    """Keep the recipe that was used beside the upload: the report, and any later check, are made by the same one."""
    if checked_input.used.recipe and upload.recipe_path is None:
        path = upload.folder / f"{checked_input.used.recipe}{ENDING}"
        path.write_text(checked_input.used.recipe_text, encoding="utf-8")


def _keep_layouts(upload: Upload, settings: Settings, most_bytes: int) -> None:
    """Keep the tables of the file for the mapping step, unless it is too large to be read twice."""
    if upload.path.stat().st_size <= most_bytes and (found := find_layouts(upload.path, settings, upload.options)):
        save_layouts(upload.folder, found)


def _rename(text: str, upload: Upload) -> str:
    """Return the text in the words of the page, with the name of the file that the user knows."""
    for path, name in zip(upload.files, (upload.name, upload.lookup), strict=False):
        text = text.replace(str(path), name).replace(path.name, name)
    if upload.lookup:  # when the user saved it is not known
        text = text.replace("which was saved at", "which was uploaded at")
    return say_on_page(text.replace(str(Path(upload.folder)), "the upload"))
