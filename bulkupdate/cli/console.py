"""What users and programs get to see: sentences on stderr, one JSON object on stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

import click

from bulkupdate.errors import BulkUpdateError, InterruptedRunError, UsageError


def paint(text: str, *, is_well: bool) -> str:
    """Return a text in green if all is well, otherwise yellow; `Console` leaves colours out without a terminal."""
    return click.style(text, fg="green" if is_well else "yellow")


class Console:
    """Writes to the user on stderr; only errors if `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    def info(self, text: str = "") -> None:
        """Show a line to the user."""
        if not self.quiet:
            _write_line(text)

    def warn(self, text: str) -> None:
        """Show a warning to the user."""
        self.info(f"{click.style('Warning:', fg='yellow')} {text}")

    def error(self, error: BulkUpdateError) -> None:
        """Show an error, also if `quiet`. An interruption is not called an error: the user asked for it."""
        is_asked = isinstance(error, InterruptedRunError)
        _write_line(str(error) if is_asked else f"{click.style('Error:', fg='red', bold=True)} {error}")
        if error.remedy:
            _write_line(error.remedy if is_asked else f"       {error.remedy}")

    def confirm(self, question: str, *, yes: bool) -> bool:
        """Return whether the user agrees; with `yes`, do not ask.

        Raises `UsageError` without a terminal, `InterruptedRunError` for Ctrl-C.
        """
        if yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError(
                "There is no terminal to ask on, and --yes was not given: nothing was sent.",
                remedy="Add --yes to send without being asked.",
            )
        try:
            return click.confirm(question, err=True)
        except click.Abort:
            self.info()
            raise InterruptedRunError("Interrupted: nothing was sent.", remedy="Run the same command again.") from None


def _write_line(text: str) -> None:
    """Write a line to stderr. If its reader is gone (a closed pipe or terminal), the work continues."""
    with suppress(OSError):
        click.echo(text, err=True, color=None if _has_colours() else False)


def _has_colours() -> bool:
    """Return whether colours may be shown, if stderr is a terminal (https://no-color.org)."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def print_json(fields: Mapping[str, object] | Sequence[Mapping[str, object]]) -> None:
    """Print one object on stdout, for programs."""
    print_text(json.dumps(fields, ensure_ascii=False, allow_nan=False))


def print_text(text: str) -> None:
    """Print a text on stdout for programs and files: UTF-8 whatever the code page of the terminal or pipe."""
    line = text + "\n"
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:  # a stream of text only, as a program that calls this one may set it
        click.echo(line, nl=False)
        return
    sys.stdout.flush()
    # the escapes of half a surrogate pair, from a file name that is not text, are those of JSON
    stream.write(line.encode("utf-8", "backslashreplace"))
    stream.flush()
