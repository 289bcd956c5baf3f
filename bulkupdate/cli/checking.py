"""`check` and `template`: what can be done without the service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.options import FILE_ARGUMENT, common_options, make_settings, parse_maps, sheet_options
from bulkupdate.errors import ExitCode

if TYPE_CHECKING:
    from bulkupdate.runs.intake import Intake
    from bulkupdate.settings import Settings


@click.command("check", short_help="The dry run: everything but the sending.")
@FILE_ARGUMENT
@click.option("-o", "output", type=click.Path(path_type=Path), help="Write the report to this workbook (.xlsx).")
@click.option("--html", type=click.Path(path_type=Path), help="Write the report as one self-contained page.")
@sheet_options
@common_options
def check_command(file: Path, output: Path | None, html: Path | None, as_json: bool, quiet: bool, **given: Any) -> int:
    """Read FILE, check every row, and say what is wrong and what would be sent. Sends nothing."""
    console, settings = Console(quiet=quiet), make_settings(given)
    intake = take_in_file(file, settings, given)
    return write_reports(intake, settings, console, output, html, as_json=as_json)


@click.command("template", short_help="A sheet ready to fill in.")
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
    from bulkupdate.spreadsheets.output_file import check_writable
    from bulkupdate.spreadsheets.template import write_template

    make_settings(given)
    check_writable(output)
    write_template(output)
    Console(quiet=quiet).say(f"Template: {output}. Fill it in, then: bulkupdate check '{output}'")
    if as_json:
        print_json({"template": str(output), "exit_code": 0})
    return ExitCode.DONE


COMMANDS = (check_command, template_command)


def take_in_file(file: Path, settings: Settings, given: Mapping[str, Any]) -> Intake:
    """Read and check a file as the options say."""
    from bulkupdate.runs.intake import SheetOptions, take_in

    options = SheetOptions(given["sheet"], parse_maps(given["maps"]), given["decimal_mark"], given["ignore_unknown"])
    return take_in(file, settings, options)


def show_intake(intake: Intake, console: Console) -> None:
    """What was read, what is wrong, and what would be sent."""
    checked = intake.checked
    sheet = f", sheet {intake.sheet_name}" if intake.sheet_name else ""
    console.say(f"{intake.path}{sheet}: {len(checked):,} rows")
    for note in intake.notes:
        console.say(f"  note  {note}")
    console.show_problems(checked.problems)
    nothing = len(checked) - intake.to_send - intake.invalid
    console.say(f"{intake.to_send:,} rows to send, {intake.invalid:,} invalid, {nothing:,} with nothing to send.")


def write_reports(
    intake: Intake, settings: Settings, console: Console, output: Path | None, html: Path | None, *, as_json: bool
) -> int:
    """Say what a dry run found, and write its reports where they are asked for."""
    from bulkupdate.runs.check import write_check
    from bulkupdate.runs.history import describe_check

    show_intake(intake, console)
    written = write_check(intake, settings, output, html)
    for path in written:
        console.say(f"Report: {path}")
    exit_code = ExitCode.ROWS_LEFT if intake.invalid else ExitCode.DONE
    if intake.invalid:
        command = f"bulkupdate check '{intake.path}'" + (" -o REPORT.xlsx" if not output else "")
        console.say(f"Mend the rows and check again: {command}")
    else:
        command = f"bulkupdate run '{intake.path}'"
        console.say(f"Nothing was sent. To send: {command}")
    if as_json:
        print_json(describe_check(intake, exit_code, output or html, command))
    return exit_code
