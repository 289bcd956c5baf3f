"""Check an upload in a separate process with limits on memory and time, which contains a malicious file."""

from __future__ import annotations

import contextlib
import logging
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.crash_report import log_crash
from bulkupdate.errors import BulkUpdateError, ReaderBugError
from bulkupdate.redaction import Secret
from bulkupdate.runs.check_reports import write_check
from bulkupdate.runs.input_file import CheckedInput, load_input_file
from bulkupdate.settings import Settings
from bulkupdate.web.check_outcome import save_needed_search, save_refusal
from bulkupdate.web.check_store import save_check
from bulkupdate.web.found_customers import SearchNeededError, find_in
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.process_limits import limit_process
from bulkupdate.web.upload_store import Upload

log = logging.getLogger("bulkupdate.web")

MEMORY_BYTES = 640 << 20
"""Memory limit of a check, as RLIMIT_DATA counts it (private writable pages); a check really uses less."""

MAX_SECONDS = 90
"""Time limit of a check or a report. The largest sheets take about twenty seconds."""

NICENESS = 5
"""A check gives way to the pages and to the runs that are being sent."""

MAX_UNPACKED_BYTES = 400 << 20
"""Limit on the unpacked size of a workbook; 100,000 rows with all fields take about 150 MiB."""

REPORT = "check-report.xlsx"


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
    """Do the task within limits on time and memory; this is all that the process does."""
    limit_process(MEMORY_BYTES, MAX_SECONDS, NICENESS)
    warnings.simplefilter("ignore")  # a library's warnings mean nothing to the user
    try:
        work(task)
    except MemoryError:
        if task.is_report:
            raise
        with contextlib.suppress(OSError):
            save_refusal(task.upload.folder, *TOO_LARGE)


TOO_LARGE = (
    "Checking this file took more memory or time than an upload may use.",
    "Split it into several sheets, or save it as “CSV UTF-8”.",
)
"""The message for the user, and the remedy."""


def work(task: CheckTask) -> None:
    """Check an upload and store the outcome; or write its report and the copy with its bad cells marked."""
    upload = task.upload
    try:
        checked_input = _load(upload, task.settings)
        if task.is_report:
            report = upload.folder / REPORT
            write_check(checked_input, task.settings, report, None, word=say_on_page, is_downloaded=True)
        else:
            save_check(upload.folder, checked_input)
    except SearchNeededError as needed:
        save_needed_search(upload.folder, needed.count)
    except BulkUpdateError as error:
        if task.is_report:
            raise
        if isinstance(error, ReaderBugError):
            log_crash(task.settings.state_dir, error, [], Clock(), log)
        save_refusal(upload.folder, _rename(str(error), upload), error.remedy and _rename(error.remedy, upload))


def _load(upload: Upload, settings: Settings) -> CheckedInput:
    checked_input = load_input_file(upload.path, settings, upload.options, find_in(upload.folder))
    notes = tuple(_rename(note, upload) for note in checked_input.notes)
    problems = tuple(
        replace(problem, message=say_on_page(problem.message), remedy=say_on_page(problem.remedy))
        for problem in checked_input.problems
    )
    checked = replace(checked_input.checked, problems=problems)
    return replace(checked_input, notes=notes, shown_as=upload.name, checked=checked)


def _rename(text: str, upload: Upload) -> str:
    """Return the text in the words of the page, with the name of the file that the user knows."""
    for path, name in zip(upload.files, (upload.name, upload.lookup), strict=False):
        text = text.replace(str(path), name).replace(path.name, name)
    if upload.lookup:  # when the user saved it is not known
        text = text.replace("which was saved at", "which was uploaded at")
    return say_on_page(text.replace(str(Path(upload.folder)), "the upload"))
