"""The outcome of one file, for the log, notifications and programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bulkupdate.errors import ExitCode
from bulkupdate.files import replace_file
from bulkupdate.runs.reporting.run_report import RunReport


class FileOutcome(StrEnum):
    """What happened to a file in a night, as a word for programs."""

    DONE = "done"
    INCOMPLETE = "incomplete"
    """It was sent, but some of its rows were not updated."""
    SKIPPED = "skipped"
    REFUSED = "refused"
    STOPPED = "stopped"
    """It stays in `working/`; the next night continues."""


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """The outcome of one file in one night.

    `name` is the file's original name, `path` its place after the night. `run_report` is the object that `--json`
    prints. `files` are the files written for users: results, to-fix file, check report. `sentence` says what happened,
    without any text of a cell; `reason` says why and what to do, and may quote a heading or the service; empty if all
    went well. `public_reason` is the part of it that may appear in a log or a chat: no heading, no cell. `sent_before`
    says when this content was sent before, empty if it was not. `ends_night`: what stopped this file would stop the
    next one too.
    """

    name: str
    path: Path
    outcome: FileOutcome
    run_report: RunReport
    sentence: str
    files: tuple[Path, ...] = ()
    reason: str = ""
    public_reason: str = ""
    sent_before: str = ""
    ends_night: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a night with this file only."""
        return self.run_report.exit_code


def write_file_summary(report: FileReport, path: Path) -> None:
    """Write the JSON summary of the file in one step: what `--json` prints, and in addition messages and files.

    Raises `UsageError` if it cannot be written.
    """
    summary = {
        **report.run_report.to_json(),
        "name": report.name,
        "outcome": report.outcome.value,
        "message": report.sentence,
        "reason": report.reason,
        "sent_before": report.sent_before,
        "files": [str(file) for file in report.files],
    }
    with replace_file(path) as stream:
        stream.write(json.dumps(summary, allow_nan=False, indent=2).encode() + b"\n")
