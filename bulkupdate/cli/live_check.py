"""What `--live` adds to a check: the comparison with the live customers."""

from __future__ import annotations

from functools import partial

from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.session import open_session, print_estimate, watch_reading
from bulkupdate.runs.live.diff import count_id_requests, count_read_requests, find_changes, find_unknown
from bulkupdate.runs.live.live_findings import LiveFindings
from bulkupdate.runs.loading.input_file import CheckedInput


def compare_with_live(checked_input: CheckedInput, invocation: Invocation, *, only_ids: bool) -> LiveFindings:
    """Show what reading costs, then read the live customers; `only_ids` checks only whether they exist."""
    checked, console = checked_input.checked, invocation.console
    with open_session(invocation.settings) as context:
        protecting = partial(find_changes, guarded=checked_input.used.guarded)
        count, find = (count_id_requests, find_unknown) if only_ids else (count_read_requests, protecting)
        print_estimate(count(checked.rows()), context, console)
        total = len(checked) - checked_input.invalid if only_ids else checked_input.to_send
        with watch_reading(total, context, console) as watch:
            return find(
                checked.rows(),
                checked.key_heading,
                checked_input.live_key,
                context.client,
                context.settings.concurrency,
                watch,
            )
