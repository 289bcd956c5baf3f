"""The figures of a night for Prometheus: in a file for the collector of node_exporter, and for the page."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from bulkupdate.customers.models import Status
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.files import replace_file
from bulkupdate.nightly.file_report import FileOutcome
from bulkupdate.nightly.night_report import NightReport
from bulkupdate.prometheus_text import Metric, format_labels, format_metrics
from bulkupdate.remote.address import Address
from bulkupdate.runs.journal import Journal

PREFIX = "bulkupdate_nightly_"
_BEGINNING = f"# HELP {PREFIX}".encode()
READABLE_BY_ALL = 0o644
"""The collector runs as another user; the file holds no customer data."""

_LAST_SUCCESS = f"{PREFIX}last_success_timestamp_seconds"


def write_metrics(report: NightReport, path: Path) -> None:
    """Write the file in one step, readable by all.

    Raises `UsageError` if it cannot be written, or would overwrite a file that is not one of a night's metrics.
    If the night failed, the time of the last success is taken from the existing file.
    """
    _require_own(path)
    text = format_metrics(_list_metrics(report, _read_last_success(path, report.folder)))
    with replace_file(path) as stream:
        stream.write(text.encode())
        if hasattr(os, "fchmod"):
            os.fchmod(stream.fileno(), READABLE_BY_ALL)


def keep_metrics(report: NightReport, journal: Journal) -> None:
    """Keep the same figures in the journal, in place of those of the folder's last night. Raises `JournalError`."""
    before = (metric for metric in journal.find_metrics(str(report.folder)) if metric.name == _LAST_SUCCESS)
    last_success = next((figure for metric in before for _, figure in metric.samples), None)
    journal.keep_metrics(str(report.folder), list(_list_metrics(report, last_success)))


def _list_metrics(report: NightReport, last_success: float | None) -> Iterator[Metric]:
    folder = {"folder": str(report.folder)}

    def make(name: str, about: str, figure: float) -> Metric:
        return Metric(PREFIX + name, about, [(folder, figure)])

    yield make("start_timestamp_seconds", "When the last night began.", report.started)
    yield make("end_timestamp_seconds", "When the last night ended.", report.ended)
    last_success = report.ended if report.exit_code in (ExitCode.DONE, ExitCode.INCOMPLETE) else last_success
    if last_success is not None:
        yield Metric(_LAST_SUCCESS, "When the last night with exit code 0 or 1 ended.", [(folder, last_success)])
    yield make("exit_code", "Exit code of the last night.", report.exit_code)
    outcomes = [(folder | {"outcome": str(outcome)}, report.outcomes.get(outcome, 0)) for outcome in FileOutcome]
    yield Metric(f"{PREFIX}files", "Files of the last night by outcome.", outcomes)
    statuses = [(folder | {"status": str(status)}, report.counts.get(status, 0)) for status in Status]
    yield Metric(f"{PREFIX}rows", "Rows of the last night by status.", statuses)
    yield make("requests", "Requests of the last night to the service.", report.requests)
    yield make("files_left_behind", "Files that the last night left behind.", len(report.left_files))
    yield make("files_overdue", "Files that are left behind for more than a day.", len(report.overdue_files))
    yield make("failed_notifications", "Notifications of the last night that failed.", report.failed_notifications)


def _require_own(path: Path) -> None:
    try:
        is_own = (path.read_bytes() or _BEGINNING).startswith(_BEGINNING)
    except FileNotFoundError:
        return
    except OSError:
        is_own = False
    if not is_own:
        raise UsageError(f"{path} exists, but is not a file of nightly metrics.", remedy="Name another --metrics-file.")


def _read_last_success(path: Path, folder: Path | Address) -> float | None:
    """Return the time in the existing file; None if the file is missing or belongs to another folder."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    labels = re.escape(format_labels({"folder": str(folder)}))
    match = re.search(rf"^{_LAST_SUCCESS}{labels} ([0-9.e+]+)$", text, re.MULTILINE)
    return float(match[1]) if match else None
