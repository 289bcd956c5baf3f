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
"""Where each shell looks for completions, below the home folder; zsh only with `_ZSH_LINE` in ~/.zshrc."""

_ZSH_LINE = "fpath+=~/.zfunc; autoload -Uz compinit && compinit"


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
        if shell == "zsh":
            _load_places(Path.home() / ".zshrc")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", remedy="Print it without --install."
        ) from error
    click.echo(f"Installed: {path}. Open a new terminal to use it.", err=True)
    return ExitCode.DONE


def _load_places(zshrc: Path) -> None:
    """Add the line that makes zsh read the completions, unless the file contains it."""
    before = zshrc.read_text(encoding="utf-8", errors="replace") if zshrc.exists() else ""
    if _ZSH_LINE not in before:
        with zshrc.open("a", encoding="utf-8") as stream:
            stream.write(f"\n# Added by `bulkupdate completion zsh --install`\n{_ZSH_LINE}\n")
        click.echo(f"Added to {zshrc}: {_ZSH_LINE}", err=True)
