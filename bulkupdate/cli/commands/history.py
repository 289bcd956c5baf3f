"""`history`: every change made to one customer."""

from __future__ import annotations

import click

from bulkupdate.cli.command_help import Command
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import common_options
from bulkupdate.clock import Clock, format_local_date
from bulkupdate.errors import ExitCode
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.customer_history import CustomerChange, find_history
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA, HistoryObject

_OTHERS = "The journal does not know what others have changed since; to compare: `bulkupdate check FILE --live`."


@click.command(
    "history",
    cls=Command,
    examples={
        "163": "Show every change made to customer 163.",
        "163 --json": "The same for programs.",
    },
)
@common_options
@click.argument("customer_id")
def command(invocation: Invocation, customer_id: str) -> int:
    """Show every change that was made to CUSTOMER_ID: when, by whom, from, to, and in which run.

    Reads only the journal. Previous values are known for runs with --snapshot or --only-changes.
    """
    with Journal(invocation.settings.store, Clock(), checks_pages=False) as journal:
        changes = find_history(journal, customer_id)
    if invocation.as_json:
        found: HistoryObject = {
            "schema": JSON_SCHEMA,
            "customer_id": customer_id,
            "changes": [change.to_json() for change in changes],
        }
        print_json(found)
        return ExitCode.DONE
    for change in changes:
        _print(change)
    invocation.console.info(_OTHERS if changes else f"No run has changed customer {customer_id}.")
    return ExitCode.DONE


def _print(change: CustomerChange) -> None:
    at = format_local_date(change.at)[:16] if change.at else "no answer"
    click.echo(f"{at}  run {change.run_id}  by {change.username} at {change.host}: {change.status}")
    for field in change.fields:
        click.echo(f"    {field.describe()}")
