"""`template`: a sheet ready to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import common_options
from bulkupdate.errors import ExitCode
from bulkupdate.files import check_writable
from bulkupdate.spreadsheets.writing.template_sheet import write_template
from bulkupdate.text import quote_argument


@click.command("template")
@common_options
@click.option(
    "-o",
    "output",
    type=click.Path(path_type=Path),
    default=Path("customers.xlsx"),
    show_default=True,
    help="Where it goes (.xlsx or .csv).",
)
def command(invocation: Invocation, output: Path) -> int:
    """Write a sheet with every heading, ready to fill in."""
    check_writable(output)
    write_template(output)
    invocation.console.info(f"Template: {output}. Fill it in, then: bulkupdate check {quote_argument(output)}")
    if invocation.as_json:
        print_json({"template": str(output), "exit_code": 0})
    return ExitCode.DONE
