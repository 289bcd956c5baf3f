"""The options that say what a run leaves out, reads back or keeps."""

from __future__ import annotations

from functools import wraps
from typing import Any

import click

from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import Function, Number, add_options
from bulkupdate.errors import UsageError
from bulkupdate.runs.run_records import RunOptions

_OPTIONS = (
    click.option("--verify", is_flag=True, help="Read back what was sent; if the service ignored it, the row failed."),
    click.option(
        "--only-changes", is_flag=True, help="Read the live customers first; send only the fields that differ."
    ),
    click.option(
        "--since-last", is_flag=True, help="Skip rows whose values the journal has already confirmed; no requests."
    ),
    click.option(
        "--max-age",
        "max_age_days",
        type=Number(0, 36_500),
        metavar="DAYS",
        help="With --since-last: trust what the journal confirmed within this many days, and nothing older.",
    ),
    click.option("--snapshot", is_flag=True, help="Save the previous values, so that `undo` can restore them."),
)


def run_options(command: Function) -> Function:
    """Add `--verify`, `--only-changes`, `--since-last`, `--max-age`, `--snapshot`; pass `run_options`."""

    @wraps(command)
    def invoke(
        invocation: Invocation,
        *,
        verify: bool,
        only_changes: bool,
        since_last: bool,
        max_age_days: float | None,
        snapshot: bool,
        **given: Any,
    ) -> int:
        if max_age_days is not None and not since_last:
            raise UsageError(
                "--max-age says how long --since-last trusts the journal, but --since-last was not given.",
                remedy="Add --since-last, or omit --max-age.",
            )
        options = RunOptions(
            verify=verify,
            only_changes=only_changes,
            since_last=since_last,
            max_age_days=max_age_days,
            snapshot=snapshot,
        )
        return int(command(invocation, run_options=options, **given))

    return add_options(invoke, _OPTIONS)
