"""A group of commands that loads the module of a command only when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from bulkupdate.errors import UsageError


class LazyGroup(click.Group):
    """A click group whose commands are modules of one package; each module has its command as `command`."""

    def __init__(
        self, *args: Any, package: str, command_groups: Mapping[str, Mapping[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._package = package
        self._groups = command_groups
        self._short_helps = {name: line for group in command_groups.values() for name, line in group.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands."""
        return list(self._short_helps)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Load a command; None if there is none of this name."""
        if cmd_name not in self._short_helps:
            return None
        command: click.Command = import_module(f"{self._package}.{cmd_name}").command
        command.short_help = self._short_helps[cmd_name]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name. Raises `UsageError` if there is none, with the nearest name."""
        name = args[0]
        if name in self._short_helps or name.startswith("-"):
            return super().resolve_command(ctx, args)
        near = get_close_matches(name, self._short_helps, n=1)
        raise UsageError(
            f"There is no command {name}.{f' Did you mean {near[0]}?' if near else ''}",
            remedy="`bulkupdate help` lists the commands.",
        )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without loading them."""
        for heading, commands in self._groups.items():
            with formatter.section(heading):
                formatter.write_dl(list(commands.items()), col_max=12)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands and options that complete a word, without loading the commands."""
        names = [name for name in self._short_helps if name.startswith(incomplete)]
        commands = [CompletionItem(name, help=self._short_helps[name]) for name in names]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]
