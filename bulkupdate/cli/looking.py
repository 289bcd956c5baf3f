"""`runs`, `show`, `purge`, `doctor`: what was done, and whether all is in order."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.options import RUN_ARGUMENT, common_options, make_settings
from bulkupdate.clock import Clock, format_local_time
from bulkupdate.errors import BulkUpdateError, ExitCode, UsageError

if TYPE_CHECKING:
    from bulkupdate.settings import Settings


@click.command("runs", short_help="List the runs, newest first.")
@common_options
def runs_command(as_json: bool, quiet: bool, **given: Any) -> int:
    """List all runs, newest first."""
    from bulkupdate.runs.journal import Journal
    from bulkupdate.runs.run_report import report_run

    settings = make_settings(given)
    with Journal(settings.state_dir, Clock()) as journal:
        described = [report_run(run, journal, settings.state_dir).to_json() for run in journal.runs()]
    if as_json:
        print_json(described)
    elif not described:
        Console(quiet=quiet).info("No run yet.")
    for each in [] if as_json else described:
        counts = ", ".join(f"{count:,} {status}" for status, count in each["counts"].items())
        click.echo(f"{each['run']}  {each['state']:<8}  {Path(each['file']).name}: {counts}")
    return ExitCode.DONE


@click.command("show", short_help="Show one run; write its results again.")
@RUN_ARGUMENT
@click.option("-o", "output", type=click.Path(path_type=Path), help="Write its results here (.xlsx or .csv).")
@common_options
def show_command(run_id: str | None, output: Path | None, as_json: bool, quiet: bool, **given: Any) -> int:
    """Show RUN, or the newest without it, from the journal alone: the input file is not needed."""
    from bulkupdate.runs.journal import Journal
    from bulkupdate.runs.results import require_results_place, summarise_run, write_run_results
    from bulkupdate.runs.run_report import report_run

    console, settings = Console(quiet=quiet), make_settings(given)
    with Journal(settings.state_dir, Clock()) as journal:
        run = journal.find_run(run_id)
        if output is not None:
            require_results_place(output, None)
            for path in write_run_results(run, journal, output):
                if path is not None:
                    console.info(f"Written: {path}")
        described = report_run(run, journal, settings.state_dir).to_json()
        lines = summarise_run(run)
    if as_json:
        print_json({**described, "results": str(output) if output else described["results"]})
        return ExitCode.DONE
    for label, value in lines:
        click.echo(f"{label + ':':<40} {described['state'] if label == 'State' else value}")
    for status, count in described["counts"].items():
        click.echo(f"{'Rows ' + status + ':':<40} {count:,}")
    if described["next"]:
        console.info(f"Next: {described['next']}")
    return ExitCode.DONE


@click.command("purge", short_help="Delete old runs and their data.")
@click.option("--older-than", required=True, metavar="DAYSd", help="For example 90d.")
@common_options
def purge_command(older_than: str, as_json: bool, quiet: bool, **given: Any) -> int:
    """Delete the runs older than DAYS from the journal, with the data they sent.

    Sheets uploaded to the page before then are deleted too, with their results. Results files elsewhere are kept.
    """
    from bulkupdate.runs.journal import Journal
    from bulkupdate.runs.retention import delete_runs_before
    from bulkupdate.web.upload_store import purge_uploads

    days = re.fullmatch(r"([0-9]{1,5})d?", older_than, re.ASCII)
    if days is None:
        raise UsageError(f"--older-than {older_than!r} is no number of days.", remedy="Write it like 90d.")
    settings, clock = make_settings(given), Clock()
    before = clock.now() - int(days[1]) * 86_400
    with Journal(settings.state_dir, clock) as journal:
        count = delete_runs_before(journal, settings.state_dir, before)
    uploads = purge_uploads(settings.state_dir, before)
    Console(quiet=quiet).info(f"Deleted: {count:,} runs and {uploads:,} uploads older than {days[1]} days.")
    if as_json:
        print_json({"purged": count, "uploads": uploads, "exit_code": 0})
    return ExitCode.DONE


@click.command("doctor", short_help="Check sign-in, quota left and the journal.")
@common_options
def doctor_command(as_json: bool, quiet: bool, **given: Any) -> int:
    """Look whether everything is in order for a run; costs one sign-in."""
    settings, console = make_settings(given), Console(quiet=quiet)
    findings: list[tuple[str, str, BulkUpdateError | None]] = []
    for name, look in (("journal", _look_at_journal), ("service", _look_at_service)):
        try:
            findings.append((name, look(settings, console), None))
        except BulkUpdateError as error:
            findings.append((name, str(error), error))
    for name, told, trouble in findings:
        console.info(f"{'FAIL' if trouble else 'ok  '}  {name}: {told}")
        if trouble and trouble.remedy:
            console.info(f"      {trouble.remedy}")
    exit_code = next((trouble.exit_code for _, _, trouble in findings if trouble), ExitCode.DONE)
    if as_json:
        looked = {name: {"ok": trouble is None, "message": told} for name, told, trouble in findings}
        print_json({**looked, "exit_code": int(exit_code)})
    return exit_code


COMMANDS = (runs_command, show_command, purge_command, doctor_command)


def _look_at_journal(settings: Settings, _console: Console) -> str:
    from bulkupdate.runs.journal import Journal

    with Journal(settings.state_dir, Clock()) as journal:
        return f"{journal.path} is sound and writable; {len(journal.runs()):,} runs"


def _look_at_service(settings: Settings, console: Console) -> str:
    from bulkupdate.cli.console import Progress
    from bulkupdate.runs.sign_in_wait import sign_in
    from bulkupdate.sellercloud.client import open_client

    clock, stop = Clock(), threading.Event()
    client = open_client(settings, clock, stop)
    try:
        with Progress(console, 0, client.quota, clock) as progress:
            sign_in(client, stop, lambda waiting: progress.advance(0, waiting))
        room = client.quota.room()
    finally:
        client.close()
    left = "no limit" if room.free is None else f"{room.free:,} of {settings.requests_per_hour:,} calls left"
    waits = f", next at {format_local_time(room.free_at, clock.now())}" if room.free == 0 else ""
    return f"signed in at {client.base_url} as {settings.username}; quota: {left}{waits}"
