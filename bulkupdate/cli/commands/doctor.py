"""`doctor`: whether everything is in order for a run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.console import Console, paint, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import common_options
from bulkupdate.cli.progress import Progress
from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, ExitCode, UsageError
from bulkupdate.nightly.preflight import Preflight
from bulkupdate.runs.estimate import describe_capacity
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.sign_in_wait import sign_in
from bulkupdate.sellercloud.client import open_client
from bulkupdate.settings import Settings
from bulkupdate.text import pluralize


@dataclass(frozen=True)
class _Finding:
    """What one check found; `error` is None if all is well."""

    name: str
    message: str
    error: BulkUpdateError | None = None


@click.command(
    "doctor",
    cls=Command,
    examples={
        "": "Check the journal, and sign in once.",
        "--nightly /srv/bulkupdate --send-test": "Also check the folder, and send a test mail and notification.",
    },
)
@common_options
@option(
    "--nightly",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Also check this nightly folder, and mail, webhook and heartbeat.",
)
@option(
    "--send-test", is_flag=True, help="With --nightly: send a test mail and notification, and request the heartbeat."
)
def command(invocation: Invocation, folder: Path | None, send_test: bool) -> int:
    """Check whether everything is in order for a run; costs one sign-in."""
    if send_test and folder is None:
        raise UsageError("--send-test needs --nightly FOLDER.", remedy="Add the folder of your nights.")
    return examine(invocation, folder, send_test=send_test)


def examine(invocation: Invocation, folder: Path | None = None, *, send_test: bool = False) -> int:
    """Check journal and service, with `folder` also what its nights need; say what was found. Return the exit code."""
    console, settings = invocation.console, invocation.settings
    checks = {"journal": lambda: _check_journal(settings), "service": lambda: _check_service(settings, console)}
    if folder is not None:
        checks |= Preflight(folder, settings, send_test, Clock()).checks
    findings = [_check(name, check) for name, check in checks.items()]
    for finding in findings:
        verdict = click.style("FAIL", fg="red") if finding.error else f"{paint('ok', is_well=True)}  "
        console.info(f"{verdict}  {finding.name}: {finding.message}")
        if finding.error and finding.error.remedy:
            console.info(f"      {finding.error.remedy}")
    exit_code = next((finding.error.exit_code for finding in findings if finding.error), ExitCode.DONE)
    if invocation.as_json:
        found = {finding.name: {"ok": finding.error is None, "message": finding.message} for finding in findings}
        print_json({**found, "exit_code": int(exit_code)})
    return exit_code


def _check(name: str, check: Callable[[], str]) -> _Finding:
    try:
        return _Finding(name, check())
    except BulkUpdateError as error:
        return _Finding(name, str(error), error)


def _check_journal(settings: Settings) -> str:
    with Journal(settings.state_dir, Clock()) as journal:
        return f"{journal.path} is sound and writable; {pluralize(len(journal.runs()), 'run')}"


def _check_service(settings: Settings, console: Console) -> str:
    clock, stop = Clock(), threading.Event()
    client = open_client(settings, clock, stop)
    try:
        with Progress(console, 0, client.quota, clock) as progress:
            sign_in(client, stop, lambda waiting: progress.advance(0, waiting))
        capacity = client.quota.capacity()
    finally:
        client.close()
    quota = describe_capacity(capacity, settings.requests_per_hour, clock.now())
    return f"signed in at {client.base_url} as {settings.username}; quota: {quota}"
