"""The options that say how a sheet is to be read."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

import click

from bulkupdate.cli.command_help import OptionGroup, option
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import Function, add_options, list_given
from bulkupdate.cli.sheet_source import FORMATS, replace_sources
from bulkupdate.errors import UsageError
from bulkupdate.runs.loading.sheet_reading import SheetOptions

_option = partial(option, group=OptionGroup.SHEET)
_OPTIONS = (
    _option(
        "--format", "format_", type=click.Choice(FORMATS),
        help="What the data is, for `-` (standard input) or an address that does not say.",
    ),
    _option("--sheet", metavar="NAME", help="The sheet to read; without it: the only one with a column CustomerId."),
    _option(
        "--map",
        "maps",
        metavar="HEADING=FIELD",
        multiple=True,
        help='The field that a heading of yours means: "Kundennr=CustomerId", or "Notiz=ignore". May be repeated.',
    ),
    _option("--ignore-unknown", is_flag=True, help="Ignore columns whose headings are not known."),
    _option(
        "--decimal", "decimal_mark", type=click.Choice([".", ","]),
        help="The decimal mark in texts; without it, that of the recipe, or a point.",
    ),
    _option("--encoding", metavar="NAME", help="The encoding of a CSV file that is not UTF-8, such as cp1250."),
    _option(
        "--numbers",
        type=click.Choice(["displayed", "stored"]),
        help="Send numbers as Excel displays them, or as it stores them, if their format rounds.",
    ),
    _option(
        "--recipe", metavar="NAME",
        help="The recipe to read by, or its file; without it: the one for these headings, if there is one.",
    ),
    _option("--no-recipe", is_flag=True, help="Use no recipe."),
)  # fmt: skip


def sheet_options(command: Function) -> Function:
    """Add the options of reading, and pass `sheet_options`; standard input is kept as a file before."""

    @wraps(command)
    def invoke(invocation: Invocation, *, format_: str | None, maps: tuple[str, ...], **given: Any) -> int:
        replace_sources(given, format_, invocation)
        invocation.sheet_arguments = list_given(
            "sheet", "encoding", "numbers", "maps", "decimal_mark", "ignore_unknown", "recipe", "no_recipe"
        )
        names = ("sheet", "decimal_mark", "ignore_unknown", "encoding", "numbers", "recipe", "no_recipe")
        read = {name: given.pop(name) for name in names}
        return int(command(invocation, sheet_options=SheetOptions(heading_map=_parse_maps(maps), **read), **given))

    return add_options(invoke, _OPTIONS)


def _parse_maps(maps: tuple[str, ...]) -> dict[str, str]:
    """Parse `--map "Kundennr=CustomerId"`, which may be repeated. Raises `UsageError` if there is no `=`."""
    pairs = {}
    for mapping in maps:
        heading, equals, field = mapping.rpartition("=")
        if not equals or not heading.strip() or not field.strip():
            raise UsageError(
                f"--map {mapping!r} is not HEADING=FIELD.", remedy='Write it like --map "Kundennr=CustomerId".'
            )
        pairs[heading.strip()] = field.strip()
    return pairs
