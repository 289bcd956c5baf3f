"""`help`: the help of a command, or the list of settings."""

from __future__ import annotations

import click

from bulkupdate.cli.command_help import Command, write_below
from bulkupdate.errors import ExitCode
from bulkupdate.redaction import Secret
from bulkupdate.setting_section import Section
from bulkupdate.settings import CONFIG_NAME, SETTINGS, default_of, environment_name

_SETTINGS_HELP = f"""A setting can be given as an option of any command, such as --timeout 60 (except secrets), as
an environment variable, such as BULKUPDATE_TIMEOUT=60, or as a line of {CONFIG_NAME}, such as timeout = 60. The
command line takes precedence over the environment, and the environment over the file. In the file, put texts in
quotation marks; its table [map] defines headings of your own, such as Kundennr = "CustomerId"."""


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
        assert named is not None, "an unknown name raises an error"
        click.echo(named.get_help(click.Context(named, info_name=topic, parent=group)))
    return ExitCode.DONE


def _format_settings() -> str:
    formatter = click.Context(command, max_content_width=120).make_formatter()
    formatter.write_text(" ".join(_SETTINGS_HELP.split()))
    for section in Section:
        rows = [
            (environment_name(setting.name), _describe_setting(setting.name, setting.metadata["help"]))
            for setting in SETTINGS
            if setting.metadata["section"] is section
        ]
        with formatter.section(section):
            write_below(formatter, rows)
    return formatter.getvalue().rstrip()


def _describe_setting(name: str, help_text: str) -> str:
    default = default_of(name)
    if default in ("", None) or isinstance(default, Secret):
        return help_text
    shown = f"{default:g}" if isinstance(default, float) else str(default).lower() if default is False else default
    return f"{help_text}  [default: {shown}]"
