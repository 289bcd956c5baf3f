"""`nightly`: send every waiting file of a folder, for a scheduler."""

from __future__ import annotations

from pathlib import Path

import click

from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import Number, common_options
from bulkupdate.cli.run_options import run_options
from bulkupdate.cli.sheet_options import sheet_options
from bulkupdate.cli.signals import stop_on_signals
from bulkupdate.clock import Clock
from bulkupdate.nightly.file_job import NightOptions
from bulkupdate.nightly.file_report import FileReport
from bulkupdate.nightly.logs import logging_to
from bulkupdate.nightly.night_runner import run_night
from bulkupdate.nightly.notifications import Notifier
from bulkupdate.nightly.window import find_end
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.input_file import SheetOptions
from bulkupdate.runs.runner import RunOptions


@click.command("nightly")
@common_options
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--invalid",
    type=click.Choice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="What to do with a file that has invalid rows: refuse it, or skip those rows and send the others.",
)
@click.option("--until", metavar="HH:MM", help="Stop sending at this local time.")
@click.option(
    "--settle",
    "settle_seconds",
    type=Number(0, 86_400),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a file must not have changed before it is sent.",
)
@click.option("--log-file", type=click.Path(path_type=Path, dir_okay=False), help="Log to this file too; it rotates.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of log lines.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning"]),
    default="info",
    show_default=True,
    help="Minimum log level; debug may include cell contents.",
)
@run_options
@sheet_options
def command(
    invocation: Invocation,
    folder: Path,
    invalid: str,
    until: str | None,
    settle_seconds: float,
    log_file: Path | None,
    log_format: str,
    log_level: str,
    run_options: RunOptions,
    sheet_options: SheetOptions,
) -> int:
    """Check and send every sheet in FOLDER/inbox, oldest first, after those that an earlier night left unfinished.

    Finished files go to done/, refused files to failed/, results to reports/. With --json, one line a file. The exit
    code is the highest of the files; 5 if another process is working on the folder.
    """
    settings, clock, stop = invocation.settings, Clock(), Cancellation()
    options = NightOptions(
        end=find_end(until, clock.now()) if until else None,
        settle_seconds=settle_seconds,
        sheet=sheet_options,
        skip_invalid=invalid == "skip",
        run_options=run_options,
    )

    def print_report(report: FileReport) -> None:
        if invocation.as_json:
            print_json(report.run_report.to_json())

    with (
        logging_to(log_file, log_format, log_level, quiet=invocation.console.quiet),
        stop_on_signals(stop, Console(quiet=True)),
    ):
        return run_night(folder, settings, options, clock, stop, print_report, Notifier(settings, clock, stop))
