"""`match`: the user's own sheet with the customer ids filled in."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.key_options import key_options
from bulkupdate.cli.key_search import OptionalSession
from bulkupdate.cli.options import FILE_ARGUMENT, SHEET_OUTPUT_OPTION, common_options, list_given
from bulkupdate.cli.sheet_options import sheet_options
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.loading.input_sheet import read_input_sheet
from bulkupdate.runs.loading.recipe_choice import RecipeChoice
from bulkupdate.runs.loading.sheet_reading import SheetOptions, UsedReading
from bulkupdate.runs.matching.key import list_arguments
from bulkupdate.runs.matching.matched_file import default_matched_path, write_matched_file
from bulkupdate.runs.matching.matched_input import MatchedSheet
from bulkupdate.runs.matching.matches import Outcome
from bulkupdate.runs.reporting.json_objects import MatchObject
from bulkupdate.runs.reporting.run_report import report_sheet
from bulkupdate.spreadsheets.writing.output_place import require_output_place
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind

_NO_KEY = UsageError("`match` needs a column to find the customers by.", remedy="Name it: --key Email.")
_FOUND = (Outcome.GIVEN, Outcome.MATCHED)


@click.command(
    "match",
    cls=Command,
    examples={
        "customers.xlsx --key Email": "Search the service for the e-mail addresses.",
        'orders.xlsx --key "Customer No" --lookup list.xlsx': "Look them up in another sheet, without requests.",
    },
)
@common_options
@FILE_ARGUMENT
@SHEET_OUTPUT_OPTION
@sheet_options
@key_options
def command(invocation: Invocation, file: Path, output: Path | None, sheet_options: SheetOptions) -> int:
    """Write FILE again with CustomerId filled in, found by another column. Sends no update."""
    if sheet_options.key is None and not RecipeChoice(invocation.settings, sheet_options).has_recipes:
        raise _NO_KEY
    path = output or default_matched_path(file)
    sources = (file, sheet_options.lookup) if sheet_options.lookup else (file,)
    require_output_place(path, OwnFileKind.MATCHED, sources, force=invocation.force)
    with OptionalSession(invocation) as session:
        read = read_input_sheet(file, invocation.settings, sheet_options, session.find)
    if read.matched is None:
        raise _NO_KEY
    for note in (*read.sheet.notes, *write_matched_file(path, file, read.sheet, read.matched)):
        invocation.console.info(f"  note  {note}")
    return _report(path, file, read.matched, read.used, invocation)


def _report(path: Path, file: Path, matched: MatchedSheet, used: UsedReading, invocation: Invocation) -> int:
    """Say how many customers were found, and what to do next; return the exit code."""
    console, counts = invocation.console, matched.count()
    console.info(matched.describe_counts())
    console.info(f"Matched sheet: {path}")
    is_complete = sum(counts.get(outcome, 0) for outcome in _FOUND) == len(matched.matches)
    exit_code = ExitCode.DONE if is_complete else ExitCode.INCOMPLETE
    arguments = (*list_arguments(used.key, used.lookup), *list_given("sheet", "numbers", "check_ids"))
    next_command = invocation.suggest("run", path, *arguments, *shlex.split(used.reading))
    console.info(
        f"To send it: {next_command}" if is_complete else f"Fill in the missing ids, then send it: {next_command}"
    )
    if invocation.as_json:
        report = report_sheet(str(file), len(matched.matches), matched.requests, exit_code, path, next_command)
        found: MatchObject = {**report.to_json(), "matches": dict(counts)}
        print_json(found)
    return exit_code
