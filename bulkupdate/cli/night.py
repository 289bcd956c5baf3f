"""`nightly`: every waiting file of a folder, for a scheduler."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulkupdate.cli.console import Console, print_json, stop_on_signals
from bulkupdate.cli.options import (
    Number,
    common_options,
    make_run_options,
    make_settings,
    make_sheet_options,
    run_mode_options,
    sheet_options,
)
from bulkupdate.clock import Clock

if TYPE_CHECKING:
    from bulkupdate.nightly.file_job import NightOptions


@click.command("nightly", short_help="Send every waiting file of a folder, for a scheduler.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--invalid",
    type=click.Choice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="A file with invalid rows: refuse it, or skip those rows and send the others.",
)
@click.option("--until", metavar="HH:MM", help="Stop sending at this local time.")
@click.option(
    "--settle",
    type=Number(0, 86_400),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a file must have stopped growing.",
)
@click.option("--log-file", type=click.Path(path_type=Path, dir_okay=False), help="Log to this file too; it rotates.")
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of log lines.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning"]),
    default="info",
    show_default=True,
    help="Minimum log level; debug may include cell contents.",
)
@run_mode_options
@sheet_options
@common_options
def nightly_command(folder: Path, as_json: bool, quiet: bool, **given: Any) -> int:
    """Check, send and file every sheet that waits in FOLDER/inbox, oldest first.

    What an earlier night left unfinished comes before anything new.

    Finished files go to done/, refused ones to failed/, what became of them to reports/. With --json, one line a file.
    The exit code is the highest of the files'; 5 where another call is at work on the folder.
    """
    from bulkupdate.nightly.file_report import FileReport
    from bulkupdate.nightly.logs import logging_to
    from bulkupdate.nightly.night_runner import run_night
    from bulkupdate.nightly.notifications import Notices
    from bulkupdate.runs.cancellation import Cancellation

    settings, clock, stop = make_settings(given), Clock(), Cancellation()
    options = _read_options(given, clock.now())

    def tell(report: FileReport) -> None:
        if as_json:
            print_json(report.run_report.to_json())

    with (
        logging_to(given["log_file"], given["log_format"], given["log_level"], quiet=quiet),
        stop_on_signals(stop, Console(quiet=True)),
    ):
        return run_night(folder, settings, options, clock, stop, tell, Notices(settings, clock, stop))


COMMANDS = (nightly_command,)


def _read_options(given: dict[str, Any], now: float) -> NightOptions:
    from bulkupdate.nightly.file_job import NightOptions
    from bulkupdate.nightly.window import find_end

    return NightOptions(
        end=find_end(given["until"], now) if given["until"] else None,
        settle_seconds=given["settle"],
        sheet=make_sheet_options(given),
        skip_invalid=given["invalid"] == "skip",
        run_options=make_run_options(given),
    )
