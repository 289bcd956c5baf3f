"""`audit`: who did what, newest first."""

from __future__ import annotations

from dataclasses import asdict

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import Number, common_options
from bulkupdate.clock import Clock, format_local_date
from bulkupdate.errors import ExitCode
from bulkupdate.store.audit_log import AuditLog


@click.command(
    "audit",
    cls=Command,
    examples={
        "": "Show the last 100 events.",
        "--last 100000 --json": "Many more, for programs.",
    },
)
@common_options
@option("--last", type=Number(1, 1_000_000_000, int), default=100, show_default=True, metavar="N", help="How many.")
def command(invocation: Invocation, last: int) -> int:
    """Show who signed in to the page, and who uploaded, started, stopped, undid, purged or downloaded what.

    Newest first, without customer data. Events are only ever appended; `purge` keeps them.
    """
    events = AuditLog(invocation.settings.state_dir, Clock()).read(last)
    if invocation.as_json:
        print_json([asdict(event) for event in events])
        return ExitCode.DONE
    for event in events:
        parts = (format_local_date(event.at)[:19], event.user or "-", event.event, event.about, event.address)
        click.echo("  ".join(filter(None, parts)))
    return ExitCode.DONE
