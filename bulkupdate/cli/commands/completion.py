"""`completion`: complete commands and options in the shell with the Tab key."""

from __future__ import annotations

from pathlib import Path

import click
from click.shell_completion import get_completion_class

from bulkupdate.cli.command_help import Command, option
from bulkupdate.errors import ExitCode, UsageError

_PLACES = {
    "bash": Path(".local/share/bash-completion/completions/bulkupdate"),
    "fish": Path(".config/fish/completions/bulkupdate.fish"),
    "zsh": Path(".zfunc/_bulkupdate"),
}
"""Where each shell looks for completions, below the home folder; zsh only if `fpath` names the folder."""


@click.command(
    "completion",
    cls=Command,
    examples={
        "bash --install": "Set it up for new terminals with bash.",
        "zsh": "Print the script for zsh.",
    },
)
@click.argument("shell", type=click.Choice(list(_PLACES)))
@option("--install", is_flag=True, help="Write the script where the shell finds it, for your user only.")
@click.pass_context
def command(ctx: click.Context, shell: str, install: bool) -> int:
    """Print the completion script for SHELL, or install it: `bulkupdate completion bash --install`."""
    completion = get_completion_class(shell)
    assert completion is not None, "click knows these shells"
    script = completion(ctx.find_root().command, {}, "bulkupdate", "_BULKUPDATE_COMPLETE").source()
    if not install:
        click.echo(script)
        return ExitCode.DONE
    path = Path.home() / _PLACES[shell]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", remedy="Print it without --install."
        ) from error
    click.echo(f"Installed: {path}. Open a new terminal to use it.", err=True)
    if shell == "zsh":
        click.echo("Put these lines into ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit && compinit", err=True)
    return ExitCode.DONE
