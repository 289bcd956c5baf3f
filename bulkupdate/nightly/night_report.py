"""The outcome of a whole night, for the log, notifications, metrics and programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bulkupdate.clock import format_utc
from bulkupdate.customers.models import Status
from bulkupdate.errors import BulkUpdateError, ExitCode
from bulkupdate.nightly.file_report import FileOutcome, FileReport
from bulkupdate.nightly.left_files import LeftFile, LeftFileObject
from bulkupdate.remote.address import Address
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA, ObjectBase, ProblemObject, Time
from bulkupdate.runs.reporting.run_report import report_failure
from bulkupdate.text import pluralize


class NightObject(ObjectBase):
    """The result of a whole night, the last line of `nightly`: its files by outcome, its rows by status."""

    night: Literal[True]
    folder: str
    started: Time
    ended: Time
    files: int
    outcomes: dict[FileOutcome, int]
    rows: int
    counts: dict[Status, int]
    calls: int
    left: list[LeftFileObject]
    failed_notifications: int
    problems: list[ProblemObject]
    exit_code: ExitCode


@dataclass(frozen=True, kw_only=True)
class NightReport:
    """The outcome of one night; times are in seconds since 1970.

    `exit_code` is the highest of the files, of the error, and of files that are left behind for more than a day (1).
    `requests` counts those to the service in this night, sign-ins included. `error` is what ended the night early, None
    if nothing did. `failed_notifications` counts mails and webhook requests that were not accepted.
    """

    folder: Path | Address
    started: float
    ended: float
    exit_code: ExitCode
    files: tuple[FileReport, ...] = ()
    requests: int = 0
    left_files: tuple[LeftFile, ...] = ()
    failed_notifications: int = 0
    error: BulkUpdateError | None = None

    @property
    def rows(self) -> int:
        """The rows of all files."""
        return sum(file.run_report.rows for file in self.files)

    @property
    def counts(self) -> dict[Status, int]:
        """The rows of all files by status, without statuses that no row has."""
        total: Counter[Status] = Counter()
        for file in self.files:
            total.update(file.run_report.counts)
        return {status: total[status] for status in Status if total[status]}

    @property
    def outcomes(self) -> dict[FileOutcome, int]:
        """The files by outcome, without outcomes that no file has."""
        total = Counter(file.outcome for file in self.files)
        return {outcome: total[outcome] for outcome in FileOutcome if total[outcome]}

    @property
    def overdue_files(self) -> tuple[LeftFile, ...]:
        """The files that are left behind for more than a day."""
        return tuple(left_file for left_file in self.left_files if left_file.is_overdue(self.ended))

    @property
    def needs_attention(self) -> bool:
        """Whether something went wrong that no file's report mentions."""
        return self.error is not None or bool(self.overdue_files)

    def describe(self) -> str:
        """Return the night in one line: `2 files (1 done, 1 refused), 31 rows (30 updated), exit code 3`."""
        parts = [
            pluralize(len(self.files), "file") + _enumerate(self.outcomes),
            pluralize(self.rows, "row") + _enumerate(self.counts),
        ]
        if self.left_files:
            overdue = f" ({len(self.overdue_files):,} for more than a day)" if self.overdue_files else ""
            parts.append(f"{pluralize(len(self.left_files), 'file')} left behind{overdue}")
        if self.failed_notifications:
            parts.append(f"{pluralize(self.failed_notifications, 'notification')} failed")
        return ", ".join([*parts, f"exit code {int(self.exit_code)}"])

    def to_json(self) -> NightObject:
        """Return the object that `nightly --json` prints last; `night` is true in no other object."""
        failure = report_failure(self.error, None, None).to_json()["problems"] if self.error else []
        return {
            "schema": JSON_SCHEMA,
            "night": True,
            "folder": str(self.folder),
            "started": format_utc(self.started),
            "ended": format_utc(self.ended),
            "files": len(self.files),
            "outcomes": self.outcomes,
            "rows": self.rows,
            "counts": self.counts,
            "calls": self.requests,
            "left": [left_file.to_json(self.ended) for left_file in self.left_files],
            "failed_notifications": self.failed_notifications,
            "problems": failure,
            "exit_code": self.exit_code,
        }


def _enumerate(counts: dict[Any, int]) -> str:
    """Return ` (1 done, 1 refused)`, or nothing for no counts."""
    return f" ({', '.join(f'{count:,} {word.value}' for word, count in counts.items())})" if counts else ""
