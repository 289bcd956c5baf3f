"""A file report to notify about, mail settings, and the notifications themselves."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Problem, Status
from bulkupdate.customers.row_reasons import RowReason
from bulkupdate.errors import ExitCode
from bulkupdate.nightly.file_report import FileOutcome, FileReport
from bulkupdate.nightly.night_report import NightReport
from bulkupdate.nightly.notifications import Notifier
from bulkupdate.runs.reporting.run_report import RunReport
from bulkupdate.runs.run_records import RunState
from bulkupdate.settings import Settings
from bulkupdate.text import SuggestedCommand

NIGHT = 1_768_392_000.0  # 2026-01-14T12:00:00Z


def report(
    name: str = "a.csv",
    exit_code: int = 0,
    files: tuple[Path, ...] = (),
    reason: str = "",
    row_reasons: tuple[RowReason, ...] = (),
    **more: Any,
) -> FileReport:
    problem = Problem(2, "163", "Name", "Ann", "email", "Ann", "Ann")
    run_report = RunReport(
        run="20260114-093849-k3v9x2mq", file="a.csv", state=RunState.FINISHED, exit_code=ExitCode(exit_code), rows=3,
        counts={Status.UPDATED: 2, Status.REJECTED: 1}, problems=(problem,),
        next_command=SuggestedCommand("retry", "20260114-093849-k3v9x2mq"), reasons=row_reasons,
    )  # fmt: skip
    return FileReport(
        name=name,
        path=Path("done/a.csv"),
        outcome=FileOutcome.INCOMPLETE,
        run_report=run_report,
        sentence="finished",
        files=files,
        reason=reason,
        **more,
    )


def night_report(*files: FileReport, exit_code: int = 0, **more: Any) -> NightReport:
    return NightReport(
        folder=Path("/srv/nightly"), started=NIGHT, ended=NIGHT + 90, exit_code=ExitCode(exit_code), files=files, **more
    )


def mail_settings(port: int, **more: Any) -> Settings:
    given = {
        "mail_host": "127.0.0.1", "mail_port": port, "mail_security": "none", "mail_from": "night@example.com",
        "mail_to": "ops@example.com, boss@example.com", **more,
    }  # fmt: skip
    return Settings(**given)


def notify(settings: Settings, *reports: FileReport) -> None:
    notifier = Notifier(settings, Clock(), threading.Event(), first_wait=0.01)
    notifier.check()
    for each in reports:
        notifier.notify_file(each)
