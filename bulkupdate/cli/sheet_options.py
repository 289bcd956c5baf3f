"""The options that say how a sheet is to be read."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

import click

from bulkupdate.cli.command_help import OptionGroup, option
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import Function, add_options, list_given
from bulkupdate.errors import UsageError
from bulkupdate.runs.input_file import SheetOptions

_option = partial(option, group=OptionGroup.SHEET)
_OPTIONS = (
    _option("--sheet", metavar="NAME", help="The sheet to read; without it: the only one with a column CustomerId."),
    _option(
        "--map",
        "maps",
        metavar="HEADING=FIELD",
        multiple=True,
        help='The field that a heading of yours means: "Kundennr=CustomerId". May be repeated.',
    ),
    _option("--ignore-unknown", is_flag=True, help="Ignore columns whose headings are not known."),
    _option(
        "--decimal", "decimal_mark", type=click.Choice([".", ","]), default=".", show_default=True,
        help="The decimal mark in texts.",
    ),
    _option("--encoding", metavar="NAME", help="The encoding of a CSV file that is not UTF-8, such as cp1250."),
    _option(
        "--numbers",
        type=click.Choice(["displayed", "stored"]),
        help="Send numbers as Excel displays them, or as it stores them, if their format rounds.",
    ),
)  # fmt: skip


def sheet_options(command: Function) -> Function:
    """Add `--sheet`, `--map`, `--decimal`, `--ignore-unknown`, `--encoding`, `--numbers`; pass `sheet_options`."""

    @wraps(command)
    def invoke(invocation: Invocation, *, maps: tuple[str, ...], **given: Any) -> int:
        invocation.sheet_arguments = list_given(
            "sheet", "encoding", "numbers", "maps", "decimal_mark", "ignore_unknown"
        )
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
