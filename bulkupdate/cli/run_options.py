"""The options that say what a run skips, reads back or saves."""

from __future__ import annotations

from functools import partial, wraps
from typing import Any

from bulkupdate.cli.command_help import OptionGroup, option
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import Function, Number, add_options, show_settings
from bulkupdate.errors import UsageError
from bulkupdate.runs.run_records import RunOptions

_option = partial(option, group=OptionGroup.SENDING)
CANARY_OPTION = option(
    "--canary",
    type=Number(0, 1_000_000, int),
    metavar="N",
    group=OptionGroup.GUARDS,
    help="Send the first N rows and read them back; stop unless every field agrees. 0: no canary.",
)
_OPTIONS = (
    _option("--snapshot", is_flag=True, help="Save the previous values first, so that `undo` can restore them."),
    _option("--verify", is_flag=True, help="Read each customer back; a row whose update was ignored has failed."),
    _option("--only-changes", is_flag=True, help="Read the live customers first; send only the fields that differ."),
    _option("--since-last", is_flag=True, help="Skip rows whose values an earlier run has confirmed. No requests."),
    _option(
        "--max-age",
        "max_age_days",
        type=Number(0, 36_500),
        metavar="DAYS",
        help="With --since-last: trust only what was confirmed in this many days.",
    ),
    CANARY_OPTION,
)


_GUARDS = ("write_policy", "max_changes", "max_clears")


def run_options(command: Function) -> Function:
    """Add the options above, show the settings that guard a run among them, and pass `run_options`."""

    @wraps(command)
    def invoke(
        invocation: Invocation,
        *,
        verify: bool,
        only_changes: bool,
        since_last: bool,
        max_age_days: float | None,
        snapshot: bool,
        canary: int | None,
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
            canary=canary or 0,
        )
        return int(command(invocation, run_options=options, **given))

    return show_settings(add_options(invoke, _OPTIONS), _GUARDS)
