"""The group of commands, and the one place where every error is caught."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import click

from bulkupdate import __version__
from bulkupdate.cli.command_help import explain_usage
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.lazy_group import LazyGroup
from bulkupdate.cli.streams import require_written_output
from bulkupdate.errors import BulkUpdateError, ExitCode, InterruptedRunError, StoppedError, UsageError
from bulkupdate.text import is_utf8

_HELP = """Update Sellercloud customers in bulk from a spreadsheet.

Blank cells leave a field unchanged. Start with `bulkupdate setup` and `bulkupdate template`, check with `bulkupdate
check FILE`, send with `bulkupdate run FILE`. If a run stops for any reason, continue it with `bulkupdate resume`.

`bulkupdate help COMMAND` shows examples and options; `bulkupdate demo` needs no account.
"""

COMMAND_GROUPS: dict[str, dict[str, str]] = {
    "Every day": {
        "template": "Write a sheet ready to fill in.",
        "check": "The dry run: everything except sending.",
        "run": "Check all rows of a file, then send them.",
        "match": "Fill in customer ids, found by e-mail or another column.",
        "recipes": "How sheets with headings of your own are read.",
        "export": "Write live customers as a sheet to edit and upload again.",
    },
    "After a run": {
        "stop": "Stop a run that another terminal, the page or a scheduler sends.",
        "resume": "Continue a stopped run.",
        "retry": "Send again what failed, was rejected or is unknown.",
        "runs": "List the runs, newest first.",
        "show": "Show one run; write its results again.",
        "history": "Show every change made to a customer.",
        "undo": "Write a sheet that restores the previous values.",
    },
    "For schedulers and colleagues": {
        "nightly": "Send every waiting file of a folder, for a scheduler.",
        "serve": "The upload page, for colleagues without a terminal.",
    },
    "Set up and look after": {
        "setup": "Ask for the connection, store it, and try it.",
        "doctor": "Check sign-in, quota, journal and nightly folder.",
        "audit": "Show who did what, newest first.",
        "store": "Move the journal into PostgreSQL, or back into files.",
        "purge": "Delete old runs and their data.",
        "completion": "Complete commands and options with the Tab key.",
        "help": "Show the help of a command, or all settings.",
    },
    "Try out": {
        "demo": "Run sandbox, sample file and results in one go.",
        "sandbox": "A local stand-in for the service.",
    },
}
"""Every command with its line in the help, by when it is needed; its module in `commands/` has the rest."""

_AFTER_INTERRUPTION = "If it had begun a run, `bulkupdate runs` lists it, and `bulkupdate resume` continues it."

SHORT_HELPS = {name: line for group in COMMAND_GROUPS.values() for name, line in group.items()}


@click.group(
    cls=LazyGroup,
    package="bulkupdate.cli.commands",
    command_groups=COMMAND_GROUPS,
    help=_HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, prog_name="bulkupdate")
def cli() -> None:
    """Run the command that the user named."""


def run_cli(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit code; errors become messages here, and nowhere else."""
    given = sys.argv[1:] if arguments is None else arguments
    invocation = Invocation(as_json="--json" in given)  # until the options are known
    try:
        _refuse_undecodable(given)
        result = cli.main(arguments, prog_name="bulkupdate", standalone_mode=False, obj=invocation)
    except BulkUpdateError as error:
        return invocation.report(error)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(sys.stderr)
        return int(ExitCode.USAGE)
    except click.ClickException as error:
        return invocation.report(explain_usage(error))
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)
        return invocation.report(InterruptedRunError("Interrupted.", remedy=_AFTER_INTERRUPTION))
    except Exception as error:  # noqa: BLE001 - the top: a bug must be reported loudly, and to users as a sentence
        return invocation.report(invocation.explain_bug(error))
    return _end(int(result) if isinstance(result, int) else int(ExitCode.DONE), invocation)


def _end(exit_code: int, invocation: Invocation) -> int:
    """Return the exit code, which is that of an error if the output could not be written."""
    try:
        require_written_output()
    except StoppedError as error:
        invocation.console.error(error)
        return max(exit_code, int(error.exit_code))
    return exit_code


def _refuse_undecodable(arguments: Sequence[str]) -> None:
    """Raise `UsageError` for bytes that are not UTF-8: neither journal nor output could name such a file."""
    folder = ""
    with suppress(OSError):  # it may have been deleted
        folder = str(Path.cwd())
    for argument in (*arguments, folder):
        if not is_utf8(argument):
            raise _undecodable_error(argument)


def _undecodable_error(text: str) -> UsageError:
    with suppress(UnicodeDecodeError):
        name = text.encode(sys.getfilesystemencoding(), "surrogateescape").decode("utf-8")
        return UsageError(
            f"'{name}' cannot be read, as the locale of this system (LC_ALL, LANG) is not UTF-8.",
            remedy="Set LC_ALL=C.UTF-8, and run the command again.",
        )
    shown = text.encode("utf-8", "backslashreplace").decode()
    return UsageError(f"'{shown}' holds bytes that are not UTF-8 text.", remedy="Rename the file or folder.")
