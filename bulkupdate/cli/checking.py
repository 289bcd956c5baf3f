"""`check` and `template`: what can be done without the service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.options import FILE_ARGUMENT, common_options, make_settings, make_sheet_options, sheet_options
from bulkupdate.errors import ExitCode
from bulkupdate.text import pluralize, quote_argument

if TYPE_CHECKING:
    from bulkupdate.runs.diff import Findings
    from bulkupdate.runs.input_file import CheckedInput, RowSource
    from bulkupdate.settings import Settings

_CHANGES_SHOWN = 10


class _LiveCommand(click.Command):
    """A command whose `--live` is a flag that also takes `=ids`.

    With an optional value, click would take the file after `--live` for it.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        spelled = {"--live=ids": "--live-ids", "--live=values": "--live"}
        return super().parse_args(ctx, [spelled.get(each, each) for each in args])


@click.command("check", cls=_LiveCommand, short_help="The dry run: everything except sending.")
@FILE_ARGUMENT
@click.option(
    "--live",
    is_flag=True,
    help="Read the live customers too: what would change, and whom the service does not know. --live=ids looks only "
    "whether the customers exist, fifty to a call.",
)
@click.option("--live-ids", is_flag=True, hidden=True, help="The same as --live=ids.")
@click.option("-o", "output", type=click.Path(path_type=Path), help="Write the report to this workbook (.xlsx).")
@click.option("--html", type=click.Path(path_type=Path), help="Write the report as one self-contained page.")
@sheet_options
@common_options
def check_command(file: Path, output: Path | None, html: Path | None, as_json: bool, quiet: bool, **given: Any) -> int:
    """Read FILE, check every row, and say what is wrong and what would be sent. Sends nothing."""
    console, settings = Console(quiet=quiet), make_settings(given)
    if given["live"] or given["live_ids"]:
        settings.require_connection()
    intake = take_in_file(file, settings, given)
    if output or html:
        from bulkupdate.runs.check_reports import require_report_places

        require_report_places(file, output, html)
    live = look(intake, settings, console, only_ids=given["live_ids"]) if given["live"] or given["live_ids"] else None
    return write_reports(intake, settings, console, output, html, as_json=as_json, live=live)


@click.command("template", short_help="Write a sheet ready to fill in.")
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path),
    default=Path("customers.xlsx"),
    show_default=True,
    help="Where it goes (.xlsx or .csv).",
)
@common_options
def template_command(output: Path, as_json: bool, quiet: bool, **given: Any) -> int:
    """Write a sheet with every heading, ready to fill in."""
    from bulkupdate.files import check_writable
    from bulkupdate.spreadsheets.writing.template_sheet import write_template

    make_settings(given)
    check_writable(output)
    write_template(output)
    Console(quiet=quiet).info(f"Template: {output}. Fill it in, then: bulkupdate check {quote_argument(output)}")
    if as_json:
        print_json({"template": str(output), "exit_code": 0})
    return ExitCode.DONE


COMMANDS = (check_command, template_command)


def take_in_file(file: Path, settings: Settings, given: Mapping[str, Any]) -> CheckedInput:
    """Read and check a file as the options say."""
    from bulkupdate.runs.input_file import load_input_file

    return load_input_file(file, settings, make_sheet_options(given))


def show_intake(intake: CheckedInput, console: Console) -> None:
    """Show what was read, what is wrong, and what would be sent."""
    checked = intake.checked
    sheet = f", sheet {intake.sheet_name}" if intake.sheet_name else ""
    console.info(f"{intake.path}{sheet}: {pluralize(len(checked), 'row')}")
    for note in intake.notes:
        console.info(f"  note  {note}")
    console.show_problems(checked.problems)
    nothing = len(checked) - intake.to_send - intake.invalid
    console.info(
        f"{pluralize(intake.to_send, 'row')} to send, {intake.invalid:,} invalid, {nothing:,} with nothing to send."
    )


def look(intake: CheckedInput, settings: Settings, console: Console, *, only_ids: bool) -> Findings:
    """Look at the live customers, having said what it costs."""
    from bulkupdate.cli.reading import open_parts, print_estimate, watch_reading
    from bulkupdate.runs.diff import count_looking, count_reading, find_changes, find_unknown

    checked = intake.checked
    with open_parts(settings) as parts:
        count, find = (count_looking, find_unknown) if only_ids else (count_reading, find_changes)
        calls = count(checked.rows())
        print_estimate(calls, parts, console)
        total = len(checked) - intake.invalid if only_ids else intake.to_send
        with watch_reading(total, parts, console) as watch:
            return find(checked.rows, checked.key_heading, parts.client, settings.concurrency, watch)


def show_changes(live: Findings, console: Console) -> None:
    """Show what a look at the live customers found: the first changes, the unknown customers, the cost."""
    for change in (live.changes or ())[:_CHANGES_SHOWN]:
        before, after = (f"“{text}”" if text else "nothing" for text in (change.before, change.after))
        console.info(f"  row {change.row}, customer {change.customer_id}: {change.field} {before} → {after}")
    left = len(live.changes or ()) - _CHANGES_SHOWN
    if left > 0:
        console.info(f"  … and {left:,} more fields")
    if live.changes is not None:
        rows = len({change.row for change in live.changes})
        console.info(
            f"Rows that differ: {rows:,}, in {len(live.changes):,} fields. Rows already as wanted: {live.same:,}."
        )
    console.info(f"Customers unknown to the service: {len(live.unknown):,}. Calls used: {live.calls:,}.")


def write_reports(
    intake: CheckedInput,
    settings: Settings,
    console: Console,
    output: Path | None,
    html: Path | None,
    *,
    as_json: bool,
    live: Findings | None = None,
    planned: RowSource | None = None,
) -> int:
    """Say what a dry run found, and write its reports where they are asked for."""
    show_intake(intake, console)
    if live is not None:
        console.show_problems(live.unknown)
        show_changes(live, console)
    if output or html:
        from bulkupdate.runs.check_reports import write_check

        written = write_check(intake, settings, output, html, live, planned)
        for path in written.paths:
            console.info(f"Report: {path}")
        for note in written.notes:
            console.info(f"  note  {note}")
    exit_code = ExitCode.INCOMPLETE if intake.invalid or (live and live.unknown) else ExitCode.DONE
    if exit_code is ExitCode.INCOMPLETE:
        command = f"bulkupdate check {quote_argument(intake.path)}" + (" -o REPORT.xlsx" if not output else "")
        console.info(f"Fix the rows and check again: {command}")
    else:
        command = f"bulkupdate run {quote_argument(intake.path)}"
        console.info(f"Nothing was sent. To send: {command}")
    if as_json:
        from bulkupdate.runs.run_report import report_check

        print_json(report_check(intake, exit_code, output or html, command, live).to_json())
    return exit_code
