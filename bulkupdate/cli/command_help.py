"""The help of every command: examples, options under headings, and values that say what they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

import click

from bulkupdate.errors import UsageError


class OptionGroup(StrEnum):
    """The headings of options, in the order of the help; a command's own headings come before GENERAL."""

    OWN = "Options"
    SENDING = "Sending"
    GUARDS = "Guards"
    SHEET = "Reading the sheet"
    MATCHING = "Finding customers"
    OUTPUT = "Output"
    GENERAL = "General"


_RANKS: dict[str, float] = {group: rank for rank, group in enumerate(OptionGroup)}
_BEFORE_GENERAL = len(OptionGroup) - 1.5

_VALUES = {"path": "FILE", "file": "FILE", "integer": "N"}
"""The placeholder of a value in the help, by click's name of its type; an option's own `metavar` takes precedence."""

_TERM_WIDTH = 26
"""The longest option, in characters, whose help begins on the same line."""


class Option(click.Option):
    """An option that the help shows under the heading of its group."""

    def __init__(self, *args: Any, group: str = OptionGroup.OWN, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.group = group
        self.metavar = self.metavar or _VALUES.get(self.type.name)


class Command(click.Command):
    """A command whose help shows `examples`: its arguments, and what they do."""

    def __init__(self, *args: Any, examples: Mapping[str, str], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.examples = examples

    @staticmethod
    def make_example(ctx: click.Context, arguments: str) -> str:
        """Return an example as a whole command line."""
        return f"{ctx.command_path} {arguments}".rstrip()

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, then the options under their headings."""
        with formatter.section("Examples"):
            write_below(
                formatter, [(self.make_example(ctx, arguments), text) for arguments, text in self.examples.items()]
            )
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (record := param.get_help_record(ctx)):
                groups[getattr(param, "group", OptionGroup.GENERAL)].append(record)
        width = min(_TERM_WIDTH, max(len(term) for records in groups.values() for term, _ in records))
        for group in sorted(groups, key=lambda group: _RANKS.get(group, _BEFORE_GENERAL)):
            with formatter.section(group):
                formatter.write_dl([(term.ljust(width), text) for term, text in groups[group]], col_max=width)


def write_below(formatter: click.HelpFormatter, rows: Iterable[tuple[str, str]]) -> None:
    """Write terms with their explanations indented below them."""
    formatter.write_dl(rows, col_max=2)


def explain_usage(error: click.ClickException) -> UsageError:
    """Translate click's error about a command line into a `UsageError` with an example."""
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    message, remedy = error.format_message().rstrip("."), None
    message += "" if message.endswith("?") else "."
    if ctx is not None and isinstance(ctx.command, Command):
        example = ctx.command.make_example(ctx, next(iter(ctx.command.examples)))
        remedy = f"For example: {example}. `{ctx.command_path} --help` lists the options."
        if "extra argument" in message:
            remedy = f"Put names that contain spaces in quotation marks. {remedy}"
    return UsageError(message, remedy=remedy)


option = partial(click.option, cls=Option)
"""`click.option` for the options of our commands."""
