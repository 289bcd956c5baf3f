"""What users are shown and asked before anything is sent: the plan, and whether the file was sent before."""

from __future__ import annotations

from bulkupdate.cli.console import Console
from bulkupdate.cli.dry_run import show_changes
from bulkupdate.cli.session import print_estimate, watch_reading
from bulkupdate.clock import format_local_time
from bulkupdate.customers.models import Status
from bulkupdate.runs.estimate import GUESSED_SECONDS_A_CALL, estimate_end
from bulkupdate.runs.input_file import CheckedInput
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import RunState
from bulkupdate.runs.runner import RunContext, RunOptions
from bulkupdate.runs.selection import Selection, count_planned_reading, plan_sending
from bulkupdate.text import pluralize

_ADVICE = {
    RunState.FINISHED: "",
    RunState.STOPPED: " It stopped early: `bulkupdate resume {}`.",
    RunState.RUNNING: " It is being sent just now.",
}


def select_rows(checked_input: CheckedInput, options: RunOptions, context: RunContext, console: Console) -> Selection:
    """Find out which rows need sending, and say so."""
    if not (options.only_changes or options.since_last):
        return plan_sending(checked_input, context, options)
    if options.only_changes:
        print_estimate(count_planned_reading(checked_input, options), context, console)
        with watch_reading(checked_input.to_send, context, console) as watch:
            selection = plan_sending(checked_input, context, options, watch)
        show_changes(selection.findings(), console)
    else:
        selection = plan_sending(checked_input, context, options)
    needed = checked_input.to_send - selection.skipped_count
    console.info(f"{needed:,} of {checked_input.to_send:,} rows need to be sent.")
    return selection


def confirm_plan(count: int, context: RunContext, console: Console, *, yes: bool, reading: int = 0) -> bool:
    """Show the plan, and ask. `reading` are the calls that reading takes besides, before or after the updates."""
    if not count:
        return True
    now = context.clock.now()
    room = context.client.quota.room()
    calls = count + reading + 1
    end = estimate_end(context.client.quota, now, calls, GUESSED_SECONDS_A_CALL / context.settings.concurrency)
    left = "no limit" if room.free is None else f"{room.free:,} of {context.settings.requests_per_hour:,} left"
    console.info(
        f"Plan: {pluralize(count, 'customer')} at {context.host} would be updated with {calls:,} calls; "
        f"quota: {left}; expected end: {format_local_time(end, now)}"
    )
    return console.confirm(f"Update {pluralize(count, 'customer')}?", yes=yes)


def warn_of_earlier_runs(checked_input: CheckedInput, context: RunContext, console: Console) -> None:
    """Say so if a file of the same content was sent before."""
    for earlier in context.journal.runs_of_file(checked_input.sha256, context.host):
        updated = context.journal.tally(earlier)[Status.UPDATED]
        if updated:
            state = effective_state(context.settings.state_dir, earlier)
            console.info(
                f"Warning: a file with this content was sent before: {earlier.started}, run {earlier.id}, "
                f"{updated:,} of {earlier.rows:,} rows updated.{_ADVICE[state].format(earlier.id)}"
            )
            return
