"""`audit`: who did what, newest first."""

from __future__ import annotations

from dataclasses import asdict

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.command_objects import EventObject
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import Number, common_options
from bulkupdate.clock import Clock, format_local_date
from bulkupdate.errors import ExitCode
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA
from bulkupdate.store.audit_log import AuditLog


@click.command(
    "audit",
    cls=Command,
    examples={
        "": "Show the last 100 events.",
        "--last 100000 --json": "Print many more, as JSON.",
    },
)
@common_options
@option(
    "--last", type=Number(1, 1_000_000_000, int), default=100, show_default=True, metavar="N", help="Number of events."
)
def command(invocation: Invocation, last: int) -> int:
    """Show who signed in to the page, and who uploaded, started, stopped, undid, purged or downloaded what.

    Newest first, without customer data. Events are only ever appended; `purge` keeps them.
    """
    events = AuditLog(invocation.settings.store, Clock()).read(last)
    if invocation.as_json:
        found: list[EventObject] = [{"schema": JSON_SCHEMA, **asdict(event)} for event in events]  # type: ignore[typeddict-item]
        print_json(found)
        return ExitCode.DONE
    for event in events:
        parts = (format_local_date(event.at)[:19], event.user or "-", event.event, event.about, event.address)
        click.echo("  ".join(filter(None, parts)))
    return ExitCode.DONE
