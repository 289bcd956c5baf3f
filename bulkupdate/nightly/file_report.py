"""The outcome of one file, for the log, notifier and programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.errors import ExitCode
from bulkupdate.files import replace_file
from bulkupdate.runs.run_report import RunReport


@dataclass(frozen=True)
class FileReport:
    """The outcome of one file in one night.

    `name` is the file's original name, `path` its place after the night. `run_report` is the object that `--json`
    prints. `files` are the files written for users: results, to-fix file, check report. `sentence` says what happened,
    without any text of a cell; `reason` says why and may quote a heading or the service, empty if all went well.
    `ends_night`: what stopped this file would stop the next one too.
    """

    name: str
    path: Path
    run_report: RunReport
    files: tuple[Path, ...]
    sentence: str
    reason: str = ""
    ends_night: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a night with this file only."""
        return self.run_report.exit_code


def write_file_summary(report: FileReport, path: Path) -> None:
    """Write the JSON summary of the file in one step: what `--json` prints, and in addition the message and the files.

    Raises `UsageError` if it cannot be written.
    """
    summary = {
        **report.run_report.to_json(),
        "name": report.name,
        "message": report.sentence,
        "reason": report.reason,
        "files": [str(each) for each in report.files],
    }
    with replace_file(path) as stream:
        stream.write(json.dumps(summary, allow_nan=False, indent=2).encode() + b"\n")
