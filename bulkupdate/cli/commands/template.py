"""`template`: a sheet ready to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.command_objects import TemplateObject
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import common_options, output_option
from bulkupdate.customers.fields import CUSTOMER_ID, FIELDS, Field
from bulkupdate.customers.headings import find_field, suggest
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.reporting.json_objects import JSON_SCHEMA
from bulkupdate.spreadsheets.writing.output_place import require_output_place
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.template_sheet import write_template


@click.command(
    "template",
    cls=Command,
    examples={
        "": "Write customers.xlsx with all columns.",
        "-o phones.xlsx --fields Email,Phone1": "A small one: CustomerId, Email and Phone1.",
    },
)
@common_options
@output_option("Where the template goes, .xlsx or .csv.", default=Path("customers.xlsx"))
@option("--fields", metavar="FIELD,…", help="Only these columns beside CustomerId, such as Email,Phone1.")
def command(invocation: Invocation, output: Path, fields: str | None) -> int:
    """Write a sheet with every heading, ready to fill in."""
    chosen = FIELDS if fields is None else _find_fields(fields)
    require_output_place(output, OwnFileKind.TEMPLATE, force=invocation.force)
    write_template(output, chosen)
    invocation.console.info(f"Template: {output}. Fill it in, then: {invocation.suggest('check', output)}")
    if invocation.as_json:
        written: TemplateObject = {"schema": JSON_SCHEMA, "template": str(output), "exit_code": ExitCode.DONE}
        print_json(written)
    return ExitCode.DONE


def _find_fields(names: str) -> tuple[Field, ...]:
    """Return the fields of a list of names separated by commas, in its order, after the customer id."""
    found = {CUSTOMER_ID: None}
    for name in filter(None, map(str.strip, names.split(","))):
        field = find_field(name, {})
        if field is None:
            nearest = suggest(name)
            raise UsageError(
                f"{name} is not a field.{f' Did you mean {nearest}?' if nearest else ''}",
                remedy="`bulkupdate template` without --fields writes a sheet with all of them.",
            )
        found[field] = None
    if len(found) == 1:
        raise UsageError("--fields names no field to update.", remedy="Name at least one, for example --fields Email.")
    return tuple(found)
