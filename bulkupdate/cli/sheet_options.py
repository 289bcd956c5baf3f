"""The options that say how a sheet is to be read."""

from __future__ import annotations

from functools import wraps
from typing import Any

import click

from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import Function, add_options, list_given
from bulkupdate.errors import UsageError
from bulkupdate.runs.input_file import SheetOptions

_OPTIONS = (
    click.option("--sheet", metavar="NAME", help="The sheet of the workbook to take."),
    click.option(
        "--map",
        "maps",
        metavar="HEADING=FIELD",
        multiple=True,
        help='A heading of your own: "Kundennr=CustomerId".',
    ),
    click.option("--decimal", "decimal_mark", type=click.Choice([".", ","]), default=".", help="The decimal mark."),
    click.option("--ignore-unknown", is_flag=True, help="Ignore unknown columns."),
    click.option("--encoding", metavar="NAME", help="The encoding of a text file, such as cp1250."),
    click.option(
        "--numbers",
        type=click.Choice(["displayed", "stored"]),
        help="If a number format rounds: send the text displayed, or the number stored.",
    ),
)


def sheet_options(command: Function) -> Function:
    """Add `--sheet`, `--map`, `--decimal`, `--ignore-unknown`, `--encoding`, `--numbers`; pass `sheet_options`."""

    @wraps(command)
    def invoke(invocation: Invocation, *, maps: tuple[str, ...], **given: Any) -> int:
        invocation.heading_arguments = list_given("maps", "decimal_mark", "ignore_unknown")
        invocation.sheet_arguments = (*list_given("sheet", "encoding", "numbers"), *invocation.heading_arguments)
        names = ("sheet", "decimal_mark", "ignore_unknown", "encoding", "numbers")
        read = {name: given.pop(name) for name in names}
        return int(command(invocation, sheet_options=SheetOptions(heading_map=_parse_maps(maps), **read), **given))

    return add_options(invoke, _OPTIONS)


def _parse_maps(maps: tuple[str, ...]) -> dict[str, str]:
    """`--map "Kundennr=CustomerId"`, as often as it was given. Raises `UsageError` if there is no `=`."""
    pairs = {}
    for each in maps:
        heading, equals, field = each.rpartition("=")
        if not equals or not heading.strip() or not field.strip():
            raise UsageError(
                f"--map {each!r} is not HEADING=FIELD.", remedy='Write it like --map "Kundennr=CustomerId".'
            )
        pairs[heading.strip()] = field.strip()
    return pairs
