"""The outcome of one file, for the log, notices and programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.errors import ExitCode
from bulkupdate.files import replace_file
from bulkupdate.runs.run_report import RunReport


@dataclass(frozen=True)
class FileReport:
    """What became of one file in this call.

    `name` is the file's own, `place` where it stands once it is filed. `run_report` is the object that `--json` prints.
    `files` are what people are handed: results, to-fix file, check report. `sentence` says what happened, without any
    text of a cell; `reason` says why, and may quote a heading or a service's words: empty where all went well.
    `ends_night`: what stopped this file would stop the next one too.
    """

    name: str
    place: Path
    run_report: RunReport
    files: tuple[Path, ...]
    sentence: str
    reason: str = ""
    ends_night: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """What this file alone would end a program with."""
        return self.run_report.exit_code


def write_summary(report: FileReport, path: Path) -> None:
    """Write the file's JSON summary, whole or not at all: what `--json` prints and, beside it, what became of it.

    Raises `UsageError` where it cannot be written.
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
