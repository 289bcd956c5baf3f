"""The check of an upload, in a process of its own with limits of memory and time: a file that means harm ends there."""

from __future__ import annotations

import contextlib
import resource
import signal
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

from bulkupdate.errors import BulkUpdateError
from bulkupdate.runs.check_reports import write_check
from bulkupdate.runs.input_file import CheckedInput, load_input_file
from bulkupdate.settings import Secret, Settings
from bulkupdate.web.check_store import keep_check, keep_refusal
from bulkupdate.web.upload_store import Upload

MEMORY_BYTES = 640 << 20
"""Memory of a check, as the system counts it (private pages that can be written); what is really used is less."""

SECONDS = 90
"""Time of a check or a report. The largest sheets take about twenty seconds."""

MOST_UNPACKED_BYTES = 400 << 20
"""What an uploaded workbook may unpack to; 100,000 rows of all fields take about 150 MiB."""

REPORT = "check-report.xlsx"


@dataclass(frozen=True)
class Task:
    """What the process is to do: the check, or the report of a checked upload."""

    upload: Upload
    settings: Settings
    is_report: bool = False


def limit_settings(settings: Settings) -> Settings:
    """Return the settings of a check: nothing secret, and no workbook larger than a page's check can take."""
    unpacked = min(settings.max_unpacked_bytes, MOST_UNPACKED_BYTES)
    return replace(settings, password=Secret(""), password_file="", max_unpacked_bytes=unpacked)


def work_within_limits(task: Task) -> None:
    """Do the task within limits of time and memory; this is all that the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    signal.alarm(SECONDS)  # ends us even where the server has been killed
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")  # a library's words mean nothing to the user
    try:
        work(task)
    except MemoryError:
        if task.is_report:
            raise
        with contextlib.suppress(OSError):
            keep_refusal(task.upload.folder, *TOO_LARGE)


TOO_LARGE = (
    "Checking this file took more memory or time than an upload may use.",
    "Split it into several sheets, or save it as “CSV UTF-8”; a sheet that large can be checked on the command line.",
)
"""What people are told, and what to do."""


def work(task: Task) -> None:
    """Check an upload and keep what was found; or write the report of one, and the copy with its cells marked."""
    upload = task.upload
    try:
        intake = _take_in(upload, task.settings)
        if task.is_report:
            write_check(intake, task.settings, upload.folder / REPORT, None)
        else:
            keep_check(upload.folder, intake)
    except BulkUpdateError as error:
        if task.is_report:
            raise
        keep_refusal(upload.folder, _rename(str(error), upload), error.remedy and _rename(error.remedy, upload))


def _take_in(upload: Upload, settings: Settings) -> CheckedInput:
    intake = load_input_file(upload.path, settings, upload.options)
    notes = tuple(_rename(note, upload) for note in intake.notes)
    return replace(intake, notes=notes, shown_as=upload.name)


def _rename(text: str, upload: Upload) -> str:
    """Say the name that people know, not ours, and no folder."""
    return (
        text.replace(str(upload.path), upload.name)
        .replace(upload.stored, upload.name)
        .replace(str(Path(upload.folder)), "the upload")
    )
