"""`runs`: all runs, newest first."""

from __future__ import annotations

from pathlib import Path

import click

from bulkupdate.cli.command_help import Command
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import common_options
from bulkupdate.clock import Clock, format_local_date
from bulkupdate.errors import ExitCode
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.journal_report import report_run


@click.command(
    "runs",
    cls=Command,
    examples={
        "": "List all runs.",
        "--json": "The same for programs, with every count.",
    },
)
@common_options
def command(invocation: Invocation) -> int:
    """List all runs, newest first."""
    with Journal(invocation.settings.store, Clock()) as journal:
        reports = [report_run(run, journal) for run in journal.runs()]
    if invocation.as_json:
        print_json([report.to_json() for report in reports])
        return ExitCode.DONE
    if not reports:
        invocation.console.info("No run yet.")
    for report in reports:
        counts = ", ".join(f"{count:,} {status}" for status, count in report.counts.items())
        started = format_local_date(report.started)[:16] if report.started else ""
        click.echo(f"{report.run}  {started}  {report.state:<8}  {Path(report.file or '').name}: {counts}")
    return ExitCode.DONE
