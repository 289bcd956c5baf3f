"""`run`: check all rows of a file, then send them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, OptionGroup, option
from bulkupdate.cli.confirmation import confirm_plan, select_rows, warn_of_previous_run
from bulkupdate.cli.console import print_json
from bulkupdate.cli.dry_run import Reports, finish_dry_run, show_input, suggest_for
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.key_options import key_options
from bulkupdate.cli.key_search import OptionalSession
from bulkupdate.cli.options import (
    FILE_ARGUMENT,
    PLAN_OPTION,
    RESULTS_OPTION,
    YES_OPTION,
    Number,
    common_options,
    list_given,
)
from bulkupdate.cli.run_options import run_options
from bulkupdate.cli.sending import send
from bulkupdate.cli.sheet_options import sheet_options
from bulkupdate.errors import ExitCode
from bulkupdate.runs.approved_plan import make_plan, require_approved
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.estimate import estimate_run
from bulkupdate.runs.guards import check_limits
from bulkupdate.runs.kept_files import place_results
from bulkupdate.runs.loading.input_file import CheckedInput, load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.new_run import create_run, new_run_id
from bulkupdate.runs.reporting.check_summary import WrittenReports, report_check
from bulkupdate.runs.reporting.results import require_results_place
from bulkupdate.runs.run_records import RunOptions

_REPEATED = (
    "skip_invalid", "limit", "verify", "only_changes", "since_last", "max_age_days", "snapshot", "canary", "plan",
)  # fmt: skip
"""The options that a dry run repeats in the command that sends."""

_option = partial(option, group=OptionGroup.SENDING)


@click.command(
    "run",
    cls=Command,
    examples={
        "customers.xlsx": "Check, show what it will cost, ask, send.",
        "customers.xlsx --snapshot --verify": "Save the previous values for `undo`, and read back what was sent.",
        "customers.xlsx --yes --skip-invalid --json": "From a program: do not ask, leave out invalid rows.",
        "- --format csv --yes": "Send what another program pipes in.",
    },
)
@common_options
@FILE_ARGUMENT
@YES_OPTION
@_option("--dry-run", is_flag=True, help="Do everything except sending; the same as `check`.")
@_option("--skip-invalid", is_flag=True, help="Send the valid rows even if others are invalid.")
@_option(
    "--limit",
    type=Number(1, 1_000_000_000, int),
    metavar="N",
    help="Send at most this many rows; `resume` sends the rest.",
)
@PLAN_OPTION
@run_options
@RESULTS_OPTION
@sheet_options
@key_options
def command(
    invocation: Invocation,
    file: Path,
    yes: bool,
    dry_run: bool,
    skip_invalid: bool,
    limit: int | None,
    plan: Path | None,
    run_options: RunOptions,
    output: Path | None,
    sheet_options: SheetOptions,
) -> int:
    """Check all rows of FILE, show the plan, ask, then send one update for each row.

    Nothing is sent if a row is invalid (unless --skip-invalid) or the file exceeds a limit (see Guards). The results
    file shows the status of each row.
    """
    options = replace(run_options, skip_invalid=skip_invalid, limit=limit)
    if dry_run:
        invocation.run_arguments = list_given(*_REPEATED)
        return _check(file, options, sheet_options, Reports(output, plan=plan), invocation)
    invocation.settings.require_connection()
    if output is not None:
        require_results_place(output, file, force=invocation.force)
    with OptionalSession(invocation) as session:
        checked_input = load_input_file(file, invocation.settings, sheet_options, session.find)
        show_input(checked_input, invocation.console)
        if plan is not None:
            require_approved(plan, make_plan(checked_input, options, invocation.settings))
        if checked_input.invalid and not skip_invalid:
            return _report_invalid_rows(checked_input, invocation)
        return _send(checked_input, options, output, invocation, session.open(), yes=yes)


def _check(
    file: Path, options: RunOptions, sheet_options: SheetOptions, reports: Reports, invocation: Invocation
) -> int:
    """Check as `check` does; rows that the run would leave out are left out of the preview too."""
    is_selected = options.only_changes or options.since_last
    if is_selected:
        invocation.settings.require_connection()
    reports.require_places(file, force=invocation.force)
    with OptionalSession(invocation) as session:
        checked_input = load_input_file(file, invocation.settings, sheet_options, session.find)
        if not is_selected:
            return finish_dry_run(checked_input, invocation, reports, options=options)
        selection = select_rows(checked_input, options, session.open(), invocation.console)
    live = selection.findings() if options.only_changes else None
    return finish_dry_run(checked_input, invocation, reports, live, planned=selection.rows, options=options)


def _send(
    checked_input: CheckedInput,
    options: RunOptions,
    output: Path | None,
    invocation: Invocation,
    context: RunContext,
    *,
    yes: bool,
) -> int:
    console, file = invocation.console, checked_input.path
    run_id = new_run_id(context.clock.now())
    results = output or place_results(file, run_id, invocation.settings.state_dir)
    require_results_place(results, file, force=invocation.force)
    warn_of_previous_run(checked_input, context, console)
    selection = select_rows(checked_input, options, context, console)
    if excess := check_limits(selection.rows(), invocation.settings):
        raise excess.to_error(suggest_for("run", checked_input, invocation, *list_given(*_REPEATED)))
    options = options.guard(checked_input.used.guarded)
    estimate = estimate_run(context, selection.to_send, selection.rows(), options)
    if not confirm_plan(estimate, options, console, yes=yes):
        console.info("Nothing was sent.")
        return ExitCode.FILE_REFUSED
    run = create_run(context, run_id, selection, options, results)
    return send(run, context, invocation, limit=options.limit)


def _report_invalid_rows(checked_input: CheckedInput, invocation: Invocation) -> int:
    report = checked_input.path.with_name(f"{checked_input.path.stem}-check.xlsx")
    command = suggest_for("check", checked_input, invocation, "-o", report)
    console, rows = invocation.console, len(checked_input.checked)
    console.info(f"Nothing was sent, as some rows are invalid: {checked_input.invalid:,} of {rows:,}.")
    console.info(f"Fix them, or add --skip-invalid to send the others. To list them all: {command}")
    if invocation.as_json:
        print_json(report_check(checked_input, ExitCode.FILE_REFUSED, WrittenReports(), command).to_json())
    return ExitCode.FILE_REFUSED
