"""`nightly`: send every waiting file of a folder, for a scheduler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from bulkupdate.cli.command_help import Command, OptionGroup, option
from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.key_options import key_options
from bulkupdate.cli.options import SHEET, Function, Number, common_options
from bulkupdate.cli.run_options import run_options
from bulkupdate.cli.sheet_options import sheet_options
from bulkupdate.cli.sheet_source import SourceElsewhere
from bulkupdate.cli.signals import stop_on_signals
from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, ExitCode
from bulkupdate.nightly.file_report import FileReport
from bulkupdate.nightly.logs import logging_to
from bulkupdate.nightly.night_options import DuplicatePolicy, NightOptions
from bulkupdate.nightly.night_runner import Night, run_night
from bulkupdate.nightly.notifications import Notifier
from bulkupdate.nightly.remote_folder import find_local_root, parse_folder
from bulkupdate.nightly.window import find_end
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.settings import Settings
from bulkupdate.settings_sources import load_notification_settings


def report_failures(command: Function) -> Function:
    """Report wrong settings and options like any other error that ends a night: in log, notification and heartbeat."""

    @wraps(command)
    def invoke(**given: Any) -> int:
        try:
            return int(command(**given))
        except BulkUpdateError as error:
            settings = load_notification_settings(config=given["config"])
            invocation = click.get_current_context().ensure_object(Invocation)
            reporting = _Reporting.read(given)
            return _run(invocation, given["folder"], settings, NightOptions(), reporting, failure=error)

    return invoke


@click.command(
    "nightly",
    cls=Command,
    examples={
        "/srv/bulkupdate --create": "Set up the folder, and send what is in its inbox/.",
        "sftp://me@host/exchange": "Send what is in exchange/inbox/ of that host.",
        "/srv/bulkupdate --until 05:30 --log-file night.log": "Stop at 05:30; the next night continues.",
        "/srv/bulkupdate --invalid skip --duplicates skip --quiet": "For cron: only what needs attention is shown.",
    },
)
@report_failures
@common_options
@click.argument("folder", type=SHEET)
@option("--create", is_flag=True, help="Set up FOLDER, if it has no inbox/ yet.")
@option(
    "--invalid",
    type=click.Choice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="A file with invalid rows: refuse it, or skip those rows and send the others.",
)
@option(
    "--duplicates",
    type=click.Choice([policy.value for policy in DuplicatePolicy]),
    default="warn",
    show_default=True,
    help="A file whose content was sent before: send it with a warning, skip it if all of its rows were updated, or "
    "refuse it.",
)
@option("--until", metavar="HH:MM", help="Stop sending at this local time; the next night continues.")
@option(
    "--settle",
    "settle_seconds",
    type=Number(0, 86_400),
    default=5,
    show_default=True,
    metavar="SECONDS",
    help="Leave files that changed less than this many seconds ago: they are still being written.",
)
@option(
    "--metrics-file",
    type=click.Path(path_type=Path, dir_okay=False),
    group=OptionGroup.OUTPUT,
    help="Write metrics for Prometheus, as the textfile collector of node_exporter reads them.",
)
@option(
    "--log-file",
    type=click.Path(path_type=Path, dir_okay=False),
    group=OptionGroup.OUTPUT,
    help="Also log to this file: 10 MB, with nine older ones beside it.",
)
@option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    group=OptionGroup.OUTPUT,
    help="The format of the log.",
)
@option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning"]),
    default="info",
    show_default=True,
    group=OptionGroup.OUTPUT,
    help="The minimum level to log; debug may include contents of cells.",
)
@run_options
@sheet_options
@key_options
def command(
    invocation: Invocation,
    folder: Path | SourceElsewhere,
    until: str | None,
    run_options: RunOptions,
    sheet_options: SheetOptions,
    **given: Any,
) -> int:
    """Check and send every sheet in FOLDER/inbox, oldest first, after those that an earlier night left unfinished.

    FOLDER may be an sftp:// or s3:// address: its files are processed here, and results are written back beside them.
    Finished files go to done/, refused files to failed/, results to reports/. With --json, prints one line for each
    file and a last line about the night ("night": true). With --quiet, shows only what needs attention. The exit code
    is the highest of the files; 1 if a file is left behind for more than a day; 5 if another process is working on the
    folder.
    """
    settings = invocation.settings
    key, is_default = sheet_options.key or settings.nightly_key, not sheet_options.key
    lookup = sheet_options.lookup or (Path(settings.nightly_lookup) if settings.nightly_lookup else None)
    canary = run_options.canary or settings.nightly_canary
    options = NightOptions(
        skip_invalid=given["invalid"] == "skip",
        duplicates=DuplicatePolicy(given["duplicates"]),
        end=find_end(until, Clock().now()) if until else None,
        settle_seconds=given["settle_seconds"],
        create=given["create"],
        sheet=replace(sheet_options, key=key or None, lookup=lookup, is_key_default=is_default),
        run_options=replace(
            run_options, canary=canary, key=key, lookup=str(lookup or ""), reading=sheet_options.reading
        ),
    )
    return _run(invocation, folder, invocation.settings, options, _Reporting.read(given))


@dataclass(frozen=True)
class _Reporting:
    """Where the night is reported: the options of log and metrics."""

    log_file: Path | None
    log_format: str
    log_level: str
    metrics_file: Path | None

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> _Reporting:
        """Return the reporting options among those of the command."""
        return cls(given["log_file"], given["log_format"], given["log_level"], given["metrics_file"])


def _run(
    invocation: Invocation,
    folder: Path | SourceElsewhere,
    settings: Settings,
    options: NightOptions,
    reporting: _Reporting,
    failure: BulkUpdateError | None = None,
) -> ExitCode:
    clock, stop = Clock(), Cancellation()
    root, remote = folder if isinstance(folder, Path) else Path(str(folder)), None
    if isinstance(folder, SourceElsewhere):
        try:
            remote = parse_folder(folder.typed.reveal())
            root = find_local_root(remote, settings.state_dir)
        except BulkUpdateError as error:
            failure = failure or error
    with ExitStack() as stack:
        log_error = _open_log(stack, reporting, quiet=invocation.console.quiet)
        stack.enter_context(stop_on_signals(stop, Console(quiet=True)))
        night = Night(
            root=root,
            settings=settings,
            options=options,
            clock=clock,
            stop=stop,
            notifier=Notifier(settings, clock, stop),
            on_report=_make_printer(invocation),
            explain_bug=invocation.explain_bug,
            metrics_file=reporting.metrics_file,
            failure=failure or log_error,
            repeat_options=invocation.repeat_options,
            remote=remote,
        )
        report = run_night(night)
        if invocation.as_json:
            print_json(report.to_json())
        return report.exit_code


def _open_log(stack: ExitStack, reporting: _Reporting, *, quiet: bool) -> BulkUpdateError | None:
    """Start logging. If the log file cannot be written, log to the terminal only and return the error."""
    try:
        log_to_file = logging_to(reporting.log_file, reporting.log_format, reporting.log_level, quiet=quiet)
        stack.enter_context(log_to_file)
    except BulkUpdateError as error:
        stack.enter_context(logging_to(None, reporting.log_format, reporting.log_level, quiet=quiet))
        return error
    return None


def _make_printer(invocation: Invocation) -> Callable[[FileReport], None]:
    def print_report(report: FileReport) -> None:
        if invocation.as_json:
            print_json(report.run_report.to_json())

    return print_report
