"""What people are shown and asked before anything is sent: the plan, and whether the file was sent before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulkupdate.cli.checking import show_changes
from bulkupdate.cli.console import Console
from bulkupdate.cli.reading import print_estimate, watch_reading
from bulkupdate.clock import format_local_time
from bulkupdate.text import pluralize

if TYPE_CHECKING:
    from bulkupdate.runs.input_file import CheckedInput
    from bulkupdate.runs.runner import RunContext, RunOptions
    from bulkupdate.runs.selection import Selection


def make_plan(intake: CheckedInput, options: RunOptions, parts: RunContext, console: Console) -> Selection:
    """Find out which rows need sending, and say so."""
    from bulkupdate.runs.selection import count_planned_reading, plan_sending

    if not (options.only_changes or options.since_last):
        return plan_sending(intake, parts, options)
    if options.only_changes:
        print_estimate(count_planned_reading(intake, options), parts, console)
        with watch_reading(intake.to_send, parts, console) as watch:
            plan = plan_sending(intake, parts, options, watch)
        show_changes(plan.findings(), console)
    else:
        plan = plan_sending(intake, parts, options)
    console.info(f"{intake.to_send - plan.skipped_count:,} of {intake.to_send:,} rows need to be sent.")
    return plan


def confirm_plan(count: int, parts: RunContext, console: Console, *, yes: bool, reading: int = 0) -> bool:
    """Show the plan, and ask. `reading` are the calls that reading takes on top, before or after the updates."""
    from bulkupdate.runs.estimate import GUESSED_SECONDS_A_CALL, estimate_end

    if not count:
        return True
    now = parts.clock.now()
    room = parts.client.quota.room()
    calls = count + reading + 1
    end = estimate_end(parts.client.quota, now, calls, GUESSED_SECONDS_A_CALL / parts.settings.concurrency)
    left = "no limit" if room.free is None else f"{room.free:,} of {parts.settings.requests_per_hour:,} left"
    console.info(
        f"Plan: {pluralize(count, 'customer')} at {parts.host} would be updated with {calls:,} calls; quota: {left}; "
        f"expected end: {format_local_time(end, now)}"
    )
    return console.confirm(f"Update {pluralize(count, 'customer')}?", yes=yes)


def warn_of_earlier_runs(intake: CheckedInput, parts: RunContext, console: Console) -> None:
    """Say so where a file of the same content was sent before."""
    from bulkupdate.customers.models import Status
    from bulkupdate.runs.run_lock import effective_state
    from bulkupdate.runs.run_records import RunState

    advice = {
        RunState.FINISHED: "",
        RunState.STOPPED: " It stopped early: `bulkupdate resume {}`.",
        RunState.RUNNING: " It is being sent just now.",
    }
    for earlier in parts.journal.runs_of_file(intake.sha256, parts.host):
        updated = parts.journal.tally(earlier)[Status.UPDATED]
        if updated:
            state = effective_state(parts.settings.state_dir, earlier)
            console.info(
                f"Warning: a file with this content was sent before: {earlier.started}, run {earlier.id}, "
                f"{updated:,} of {earlier.rows:,} rows updated.{advice[state].format(earlier.id)}"
            )
            return
