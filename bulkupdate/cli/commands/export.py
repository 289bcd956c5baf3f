"""`export`: live customers as a sheet to edit and upload again."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import SHEET, SHEET_OUTPUT_OPTION, common_options
from bulkupdate.cli.remarks import show_remarks
from bulkupdate.cli.session import open_session, print_estimate, watch_reading
from bulkupdate.cli.sheet_options import sheet_options
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.errors import ExitCode
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.customer_export import (
    ALL_NAMES,
    LISTED_NAMES,
    list_everyone,
    make_export,
    read_customers,
    read_first_page,
    read_ids,
)
from bulkupdate.runs.live.fetch import count_requests, is_listed
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.reporting.json_objects import ExportObject
from bulkupdate.runs.reporting.run_report import report_sheet
from bulkupdate.spreadsheets.writing.customer_sheet import write_customer_sheet
from bulkupdate.spreadsheets.writing.output_place import require_output_place
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.text import pluralize


@click.command(
    "export",
    cls=Command,
    examples={
        "--ids customers.xlsx": "All fields of the customers in that sheet.",
        "--list-fields -o everyone.csv": "Names and addresses of all customers, fifty to a request.",
    },
)
@common_options
@option(
    "--ids",
    type=SHEET,
    help="A sheet with the ids to read; without it: all customers.",
)
@option("--list-fields", is_flag=True, help="Only the fields that a list has: fifty customers in a request.")
@SHEET_OUTPUT_OPTION
@sheet_options
def command(
    invocation: Invocation, ids: Path | None, list_fields: bool, output: Path | None, sheet_options: SheetOptions
) -> int:
    """Read live customers and write them as a sheet in the input format.

    Reading all fields takes one request for each customer; the number is shown first.
    """
    console, settings = invocation.console, invocation.settings
    settings.require_connection()
    path = output or Path(f"customers-export-{datetime.now():%Y%m%d-%H%M%S}.xlsx")
    require_output_place(path, OwnFileKind.EXPORT, () if ids is None else (ids,), force=invocation.force)
    wanted = read_ids(ids, settings, sheet_options) if ids is not None else None
    names = LISTED_NAMES if list_fields else ALL_NAMES
    with open_session(settings) as context:
        customers = _read(wanted, names, context, console)
        calls = context.client.calls
    if customers is None:
        console.info("Nothing was read.")
        return ExitCode.FILE_REFUSED
    return _write(customers, names, path, calls, invocation)


def _write(
    customers: dict[str, LiveCustomer | None], names: tuple[str, ...], path: Path, calls: int, invocation: Invocation
) -> int:
    """Write the sheet, and print a summary."""
    console = invocation.console
    export = make_export(customers, names)
    write_customer_sheet(path, names, export.rows, export.remarks, OwnFileKind.EXPORT)
    show_remarks(export.remarks, console)
    if export.unknown:
        console.info(
            f"Unknown to the service: {pluralize(len(export.unknown), 'id')}: {', '.join(export.unknown[:10])}"
        )
    console.info(f"Export: {path}, {pluralize(len(export.rows), 'customer')}, {pluralize(calls, 'request')} used.")
    command = invocation.suggest("run", path, "--only-changes")
    console.info(f"Edit it and send it: {command}")
    exit_code = ExitCode.INCOMPLETE if export.unknown else ExitCode.DONE
    if invocation.as_json:
        report = report_sheet(str(path), len(export.rows), calls, exit_code, path, command)
        found: ExportObject = {**report.to_json(), "unknown": export.unknown}
        print_json(found)
    return exit_code


def _read(
    wanted: list[str] | None, names: tuple[str, ...], context: RunContext, console: Console
) -> dict[str, LiveCustomer | None] | None:
    """Return the customers asked for, or all; None if the user declined because of the cost."""
    concurrency = context.settings.concurrency
    if wanted is not None:
        if not _confirm_cost(count_requests(names for _ in wanted), context, console):
            return None
        with watch_reading(len(wanted), context, console) as watch:
            return read_customers(context.client, wanted, names, concurrency, watch)
    first = read_first_page(context.client)
    if not _confirm_cost(first.count_requests(names), context, console):
        return None
    with watch_reading(first.total, context, console) as watch:
        listed = list_everyone(context.client, first, concurrency)
        if is_listed(names):
            return dict(listed)
        return read_customers(context.client, listed, names, concurrency, watch)


def _confirm_cost(requests: int, context: RunContext, console: Console) -> bool:
    """Print the cost, and ask the user if reading would have to wait for quota; schedulers are not asked."""
    return print_estimate(requests, context, console) or console.confirm(
        "That is more than the quota has left now, so it will wait. Continue?", yes=not sys.stdin.isatty()
    )
