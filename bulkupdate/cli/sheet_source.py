"""A sheet as it is named on the command line: a file; or an address or `-` for standard input, kept as a file."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bulkupdate.cli.invocation import Invocation
from bulkupdate.clock import Clock
from bulkupdate.errors import UsageError
from bulkupdate.redaction import Secret
from bulkupdate.remote.address import parse_address
from bulkupdate.spreadsheets.reading.file_type import ENDINGS

FORMATS = tuple(ending.removeprefix(".") for ending in ENDINGS)
STANDARD_INPUT = "-"

_BLOCK_BYTES = 1 << 20
_ARGUMENTS = ("file", "ids", "lookup")
"""The parameters that name a sheet to read."""


@dataclass(frozen=True)
class SourceElsewhere:
    """Standard input or an address, as it was typed. `str` leaves out what may be a credential."""

    typed: Secret

    @property
    def is_standard_input(self) -> bool:
        """Whether it is `-`."""
        return self.typed.reveal() == STANDARD_INPUT

    def __str__(self) -> str:
        return re.sub(r"//[^/]*@", "//", re.split(r"[?#]", self.typed.reveal())[0])


class SheetSource(click.Path):
    """The type of an argument that names a sheet."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return a `Path` or a `SourceElsewhere`."""
        if isinstance(value, str) and (value == STANDARD_INPUT or "://" in value):
            return SourceElsewhere(Secret(value))
        return super().convert(value, param, ctx)


def replace_sources(given: dict[str, Any], format_: str | None, invocation: Invocation) -> None:
    """Replace what is not a file by the file that it is kept in. Raises `UsageError`, and as `fetch_input` does."""
    elsewhere = {name: given[name] for name in _ARGUMENTS if isinstance(given.get(name), SourceElsewhere)}
    if sum(source.is_standard_input for source in elsewhere.values()) > 1:
        raise UsageError("Standard input (`-`) can be only one of the sheets.", remedy="Name a file for the other.")
    if format_ is not None and not elsewhere:
        raise UsageError(
            "--format is for standard input (`-`) and addresses; the ending of a file's name says what it is.",
            remedy="Omit --format.",
        )
    for name, source in elsewhere.items():
        keep = _keep_standard_input if source.is_standard_input else _keep_download
        given[name] = keep(source, f".{format_}" if format_ else None, invocation)
        invocation.console.info(
            f"{'Standard input' if source.is_standard_input else source} was kept as {given[name]}."
        )
    invocation.file = str(given["file"]) if "file" in elsewhere else invocation.file


def _keep_standard_input(_source: SourceElsewhere, ending: str | None, invocation: Invocation) -> Path:
    from bulkupdate.runs.kept_files import keep_input  # loads much that other sources do without

    if ending is None:
        raise UsageError(
            "The format of standard input (`-`) is not known.", remedy=f"Name it: --format {', '.join(FORMATS)}."
        )
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "Nothing is piped into the program.", remedy="Pipe data into it, for example: cat FILE | bulkupdate …"
        )
    blocks = iter(lambda: sys.stdin.buffer.read(_BLOCK_BYTES), b"")
    return keep_input("stdin", ending, blocks, invocation.settings, Clock().now())


def _keep_download(source: SourceElsewhere, ending: str | None, invocation: Invocation) -> Path:
    from bulkupdate.runs.kept_files import fetch_input

    return fetch_input(parse_address(source.typed.reveal()), ending, invocation.settings, Clock().now())
