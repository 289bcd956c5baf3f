"""Write the figures of a night in Prometheus text format, for the textfile collector of node_exporter.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.customers.models import Status
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.files import replace_file
from bulkupdate.nightly.file_report import FileOutcome
from bulkupdate.nightly.night_report import NightReport

PREFIX = "bulkupdate_nightly_"
_BEGINNING = f"# HELP {PREFIX}".encode()
READABLE_BY_ALL = 0o644
"""The collector runs as another user; the file holds no customer data."""

_LAST_SUCCESS = "last_success_timestamp_seconds"


@dataclass(frozen=True)
class Metric:
    """One metric with its samples: (label and value, or none, and figure)."""

    name: str
    help: str
    samples: tuple[tuple[str, float], ...]


def write_metrics(report: NightReport, path: Path) -> None:
    """Write the file in one step, readable by all.

    Raises `UsageError` if it cannot be written, or would overwrite a file that is not one of a night's metrics.
    The time of the last success is kept from the file that is there, if the night was none.
    """
    _require_own(path)
    folder = f'folder="{_escape(str(report.folder))}"'
    text = "".join(_format(each, folder) for each in _list_metrics(report, _read_last_success(path, folder)))
    with replace_file(path) as stream:
        stream.write(text.encode())
        if hasattr(os, "fchmod"):
            os.fchmod(stream.fileno(), READABLE_BY_ALL)


def _list_metrics(report: NightReport, last_success: float | None) -> Iterator[Metric]:
    has_succeeded = report.exit_code in (ExitCode.DONE, ExitCode.INCOMPLETE)
    last_success = report.ended if has_succeeded else last_success
    overdue = len(report.overdue_files)
    yield Metric("start_timestamp_seconds", "When the last night began.", (("", report.started),))
    yield Metric("end_timestamp_seconds", "When the last night ended.", (("", report.ended),))
    if last_success is not None:
        yield Metric(_LAST_SUCCESS, "When the last night with exit code 0 or 1 ended.", (("", last_success),))
    yield Metric("exit_code", "Exit code of the last night.", (("", report.exit_code),))
    outcomes = tuple((f'outcome="{each}"', report.outcomes.get(each, 0)) for each in FileOutcome)
    yield Metric("files", "Files of the last night by outcome.", outcomes)
    statuses = tuple((f'status="{each}"', report.counts.get(each, 0)) for each in Status)
    yield Metric("rows", "Rows of the last night by status.", statuses)
    yield Metric("requests", "Requests of the last night to the service.", (("", report.requests),))
    yield Metric("files_left_behind", "Files that the last night left behind.", (("", len(report.left_files)),))
    yield Metric("files_overdue", "Files that are left behind for more than a day.", (("", overdue),))
    yield Metric(
        "failed_notifications", "Notifications of the last night that failed.", (("", report.failed_notifications),)
    )


def _require_own(path: Path) -> None:
    try:
        is_own = (path.read_bytes() or _BEGINNING).startswith(_BEGINNING)
    except FileNotFoundError:
        return
    except OSError:
        is_own = False
    if not is_own:
        raise UsageError(f"{path} exists, and holds no metrics of nights.", remedy="Name another --metrics-file.")


def _format(metric: Metric, folder: str) -> str:
    name = PREFIX + metric.name
    lines = [f"# HELP {name} {metric.help}", f"# TYPE {name} gauge"]
    lines += [
        f"{name}{{{','.join(filter(None, (folder, label)))}}} {float(figure)!r}" for label, figure in metric.samples
    ]
    return "\n".join(lines) + "\n"


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _read_last_success(path: Path, folder: str) -> float | None:
    """Return the time in the file that is there; None if there is no such file, or it is about another folder."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    match = re.search(rf"^{PREFIX}{_LAST_SUCCESS}{{{re.escape(folder)}}} ([0-9.e+]+)$", text, re.MULTILINE)
    return float(match[1]) if match else None
