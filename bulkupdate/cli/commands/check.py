"""`check`: the dry run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, OptionGroup, option
from bulkupdate.cli.dry_run import Reports, finish_dry_run
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.key_options import key_options
from bulkupdate.cli.options import FILE_ARGUMENT, PLAN_OPTION, common_options, list_given, output_option
from bulkupdate.cli.sheet_options import sheet_options
from bulkupdate.runs.live.live_findings import LiveFindings
from bulkupdate.runs.loading.input_file import CheckedInput, load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matched_input import FoundCustomers


class _LiveCommand(Command):
    """A command whose `--live` is a flag that also takes `=ids`.

    With an optional value, click would take a file after `--live` for that value.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spelled = {"--live=ids": "--live-ids", "--live=values": "--live"}
        return super().parse_args(ctx, [spelled.get(arg, arg) for arg in args])


@click.command(
    "check",
    cls=_LiveCommand,
    examples={
        "customers.xlsx": "List what is wrong, and what would be sent.",
        "customers.xlsx -o report.xlsx --live": "Also compare with the live customers, and write a report.",
        'export.csv --map "Kundennr=CustomerId" --decimal ,': "A sheet with a heading of your own and decimal commas.",
    },
)
@common_options
@FILE_ARGUMENT
@option(
    "--live",
    is_flag=True,
    help="Also read the live customers, and show what would change. --live=ids only checks that they exist, fifty in "
    "a request.",
)
@option("--live-ids", is_flag=True, hidden=True, help="The same as --live=ids.")
@PLAN_OPTION
@output_option("Write the report to this workbook, .xlsx.")
@option("--html", type=click.Path(path_type=Path), group=OptionGroup.OUTPUT, help="Write the report as a web page.")
@sheet_options
@key_options
def command(
    invocation: Invocation,
    file: Path,
    live: bool,
    live_ids: bool,
    plan: Path | None,
    output: Path | None,
    html: Path | None,
    sheet_options: SheetOptions,
) -> int:
    """Read FILE, check every row, and say what is wrong and what would be sent. Sends nothing."""
    if live or live_ids:
        invocation.settings.require_connection()
    invocation.run_arguments = list_given("plan")
    reports = Reports(output, html, plan)
    reports.require_places(file, force=invocation.force)
    checked_input = _load(file, invocation, sheet_options)
    findings = _compare(checked_input, invocation, only_ids=live_ids) if live or live_ids else None
    return finish_dry_run(checked_input, invocation, reports, findings)


def _load(file: Path, invocation: Invocation, options: SheetOptions) -> CheckedInput:
    with ExitStack() as stack:

        def find(key: Key, keys: Sequence[str]) -> FoundCustomers:
            from bulkupdate.cli.key_search import OptionalSession  # what speaks to the service loads slowly

            return stack.enter_context(OptionalSession(invocation)).find(key, keys)

        return load_input_file(file, invocation.settings, options, find)


def _compare(checked_input: CheckedInput, invocation: Invocation, *, only_ids: bool) -> LiveFindings:
    from bulkupdate.cli.live_check import compare_with_live  # the client of the service loads slowly

    return compare_with_live(checked_input, invocation, only_ids=only_ids)
