"""`help`: the help of a command, or the list of settings."""

from __future__ import annotations

import click

from bulkupdate.cli.command_help import Command, write_below
from bulkupdate.errors import ExitCode
from bulkupdate.redaction import Secret
from bulkupdate.settings import CONFIG_NAME, SETTINGS, Section, default_of, environment_name

_SETTINGS_HELP = f"""A setting is an option of every command, such as --timeout 60 (except secrets), a variable
of the environment, such as BULKUPDATE_TIMEOUT=60, or a line of {CONFIG_NAME}, such as timeout = 60. The
command line counts before the environment, and that before the file. Texts in the file are in quotation marks; its
table [map] holds headings of your own, such as Kundennr = "CustomerId"."""


@click.command(
    "help",
    cls=Command,
    examples={
        "run": "The same as bulkupdate run --help.",
        "settings": "All settings, with their defaults.",
    },
)
@click.argument("topic", required=False)
@click.pass_context
def command(ctx: click.Context, topic: str | None) -> int:
    """Show the help of the command TOPIC, or all settings: `bulkupdate help settings`."""
    group = ctx.parent
    assert group is not None, "it is a command of the program"
    assert isinstance(group.command, click.Group)
    if topic == "settings":
        click.echo(_format_settings())
    elif topic is None:
        click.echo(group.get_help())
    else:
        _, named, _ = group.command.resolve_command(group, [topic])
        assert named is not None, "a name that is none raises an error"
        click.echo(named.get_help(click.Context(named, info_name=topic, parent=group)))
    return ExitCode.DONE


def _format_settings() -> str:
    formatter = click.Context(command, max_content_width=120).make_formatter()
    formatter.write_text(" ".join(_SETTINGS_HELP.split()))
    for section in Section:
        rows = [
            (environment_name(each.name), _describe(each.name, each.metadata["help"]))
            for each in SETTINGS
            if each.metadata["section"] is section
        ]
        with formatter.section(section):
            write_below(formatter, rows)
    return formatter.getvalue().rstrip()


def _describe(name: str, help_text: str) -> str:
    default = default_of(name)
    if default in ("", None) or isinstance(default, Secret):
        return help_text
    shown = f"{default:g}" if isinstance(default, float) else str(default).lower() if default is False else default
    return f"{help_text}  [default: {shown}]"
