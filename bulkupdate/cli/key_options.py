"""The options that say which column identifies the customers."""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import click

from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import Function, add_options
from bulkupdate.runs.input_file import SheetOptions

_OPTIONS = (
    click.option(
        "--key",
        metavar="COLUMN",
        help="Find each customer by this column instead of CustomerId, such as Email. The service is searched.",
    ),
    click.option(
        "--lookup",
        type=click.Path(path_type=Path),
        help="With --key: look the customers up in this sheet, which has CustomerId and that column; no requests.",
    ),
)


def key_options(command: Function) -> Function:
    """Add `--key` and `--lookup` to the `sheet_options` that the command is passed."""

    @wraps(command)
    def invoke(
        invocation: Invocation, *, key: str | None, lookup: Path | None, sheet_options: SheetOptions, **given: Any
    ) -> int:
        return int(command(invocation, sheet_options=replace(sheet_options, key=key, lookup=lookup), **given))

    return add_options(invoke, _OPTIONS)
