"""`help`: the help of a command, or the list of settings."""

from __future__ import annotations

import click

from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.settings import CONFIG_NAME, SETTINGS, Section, default_of, environment_name

_SETTINGS_HELP = f"""A setting is an option of every command, such as --timeout 60 (passwords and other
secrets are not), a variable of the environment, such as BULKUPDATE_TIMEOUT=60, or a line of {CONFIG_NAME}, such as
timeout = 60. The command line counts before the environment, and that before the file."""


@click.command("help")
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
    elif named := group.command.get_command(group, topic):
        click.echo(named.get_help(click.Context(named, info_name=topic, parent=group)))
    else:
        raise UsageError(f"There is no command {topic}.", remedy="`bulkupdate help` lists the commands.")
    return ExitCode.DONE


def _format_settings() -> str:
    formatter = click.HelpFormatter(max_width=120)
    formatter.write_text(" ".join(_SETTINGS_HELP.split()))
    for section in Section:
        rows = [
            (environment_name(each.name), _describe(each.name, each.metadata["help"]))
            for each in SETTINGS
            if each.metadata["section"] is section
        ]
        formatter.write_paragraph()
        with formatter.section(section.value):
            formatter.write_dl(rows)
    return formatter.getvalue().rstrip()


def _describe(name: str, help_text: str) -> str:
    default = default_of(name)
    is_shown = default not in ("", None) and "Secret" not in repr(default)
    return f"{help_text} [{str(default).lower() if isinstance(default, bool) else default}]" if is_shown else help_text
