"""What users are shown and asked before anything is sent: the plan, and whether the file was sent before."""

from __future__ import annotations

from collections.abc import Sequence

from bulkupdate.cli.console import Console
from bulkupdate.cli.dry_run import show_changes
from bulkupdate.cli.session import print_estimate, watch_reading
from bulkupdate.customers.models import Status
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.estimate import Estimate
from bulkupdate.runs.loading.input_file import CheckedInput
from bulkupdate.runs.previous_runs import describe_newer_runs, find_previous_run
from bulkupdate.runs.run_records import Run, RunOptions
from bulkupdate.runs.sending.selection import Selection, count_selection_requests, make_selection
from bulkupdate.text import pluralize


def select_rows(checked_input: CheckedInput, options: RunOptions, context: RunContext, console: Console) -> Selection:
    """Find out which rows need sending, and say so."""
    if not (options.only_changes or options.since_last):
        return make_selection(checked_input, context, options)
    if options.only_changes:
        print_estimate(count_selection_requests(checked_input, options), context, console)
    with watch_reading(checked_input.to_send if options.only_changes else 0, context, console) as watch:
        selection = make_selection(checked_input, context, options, watch)
    if options.only_changes:
        show_changes(selection.findings(), console)
    if selection.modified is not None:
        console.info(f"Confirmed rows whose customers others may have modified since: {selection.modified:,}.")
    if options.since_last and not context.settings.trust_modified_filter:
        console.info("--since-last cannot see what others have changed since (see the setting trust_modified_filter).")
    console.info(f"{selection.to_send:,} of {checked_input.to_send:,} rows need to be sent.")
    return selection


def confirm_plan(estimate: Estimate, options: RunOptions, console: Console, *, yes: bool) -> bool:
    """Show what sending will cost and whether it can be undone, and ask."""
    if not estimate.updates:
        return True
    console.info(
        f"Plan: {pluralize(estimate.updates, 'customer')} at {estimate.host} would be updated with "
        f"{pluralize(estimate.requests, 'request')}; quota: {estimate.describe_quota()}; "
        f"expected end: {estimate.describe_end()}"
    )
    if options.guarded:
        console.info(f"Customers are read first to find out what is empty: {pluralize(estimate.reads, 'request')}.")
    if not options.snapshot:
        console.info("Without --snapshot the previous values are not saved: this run cannot be undone.")
    return console.confirm(f"Update {pluralize(estimate.updates, 'customer')}?", yes=yes)


def confirm_overwriting(
    run: Run, statuses: Sequence[Status], context: RunContext, console: Console, *, yes: bool
) -> bool:
    """Warn and ask if other runs have since updated customers whose rows would be sent now.

    `statuses` are those of the rows to be sent. Raises `UsageError` without a terminal, unless `yes`: a scheduler does
    not overwrite newer values silently.
    """
    newer = context.journal.find_newer_runs(run, statuses)
    if not newer:
        return True
    console.warn(describe_newer_runs(run, newer))
    return console.confirm("Overwrite their values?", yes=yes)


def warn_of_previous_run(checked_input: CheckedInput, context: RunContext, console: Console) -> None:
    """Warn if a file with the same content was sent before."""
    if previous := find_previous_run(context.journal, checked_input.sha256, context.host):
        console.warn(previous.describe())
