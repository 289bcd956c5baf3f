"""The options that say which column identifies the customers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

from bulkupdate.cli.command_help import OptionGroup, option
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import SHEET, Function, add_options, list_given
from bulkupdate.runs.loading.sheet_reading import SheetOptions

_option = partial(option, group=OptionGroup.MATCHING)
_OPTIONS = (
    _option(
        "--key",
        metavar="COLUMN",
        help="Find each customer by this column, such as Email, instead of CustomerId: the service is searched.",
    ),
    _option(
        "--lookup",
        type=SHEET,
        help="With --key: find them in this sheet instead, which has CustomerId and that column. No requests.",
    ),
    _option(
        "--check-ids",
        is_flag=True,
        help="With --key: also check that each CustomerId in the sheet is that of a customer with the row's key.",
    ),
)


def key_options(command: Function) -> Function:
    """Add `--key`, `--lookup` and `--check-ids` to the `sheet_options` that the command is passed."""

    @wraps(command)
    def invoke(
        invocation: Invocation,
        *,
        key: str | None,
        lookup: Path | None,
        check_ids: bool,
        sheet_options: SheetOptions,
        **given: Any,
    ) -> int:
        invocation.sheet_arguments += list_given("check_ids")
        options = replace(sheet_options, key=key, lookup=lookup, check_ids=check_ids)
        return int(command(invocation, sheet_options=options, **given))

    return add_options(invoke, _OPTIONS)
