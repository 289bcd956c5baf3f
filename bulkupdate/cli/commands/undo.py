"""`undo`: a sheet that restores the previous values, and the run that sends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, OptionGroup, option
from bulkupdate.cli.confirmation import confirm_plan
from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import SHEET_OUTPUT_OPTION, YES_OPTION, common_options, list_given
from bulkupdate.cli.remarks import show_remarks
from bulkupdate.cli.sending import send
from bulkupdate.cli.session import open_session, print_estimate, show_profile, watch_reading
from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.errors import ExitCode
from bulkupdate.runs.context import RunContext, require_same_host
from bulkupdate.runs.estimate import estimate_run
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.kept_files import make_inputs_folder
from bulkupdate.runs.new_run import new_run_id
from bulkupdate.runs.reporting.results import default_results_path, require_results_place
from bulkupdate.runs.reporting.run_report import report_sheet
from bulkupdate.runs.run_records import Run
from bulkupdate.runs.tenant.probe_run import end_probe
from bulkupdate.runs.undo_send import (
    UndoComparison,
    count_recheck_requests,
    create_undo,
    list_undo_rows,
    recheck_live,
    undo_options,
)
from bulkupdate.runs.undo_sheet import Restoration, find_restorations, make_undo_sheet
from bulkupdate.spreadsheets.writing.customer_sheet import write_customer_sheet
from bulkupdate.spreadsheets.writing.output_place import require_output_place
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.text import pluralize


@click.command(
    "undo",
    cls=Command,
    examples={
        "20260301-101500-a1b2": "Write the sheet of previous values, to look at.",
        "20260301-101500-a1b2 --run": "Compare with the live customers, ask, and restore them.",
    },
)
@common_options
@click.argument("run_id", metavar="RUN")
@SHEET_OUTPUT_OPTION
@option(
    "--run",
    "is_run",
    is_flag=True,
    group=OptionGroup.SENDING,
    help="Also send it, after comparing with the live customers again.",
)
@YES_OPTION
def command(invocation: Invocation, run_id: str, output: Path | None, is_run: bool, yes: bool) -> int:
    """Write a sheet that restores the previous values of the customers of RUN, which must be one with --snapshot.

    Sends nothing unless --run is given: then each customer is compared again first, and customers that were changed
    since are skipped.
    """
    settings = invocation.settings
    if not is_run:
        with Journal(settings.store, Clock()) as journal:
            run = journal.find_run(run_id)
            restorations = find_restorations(journal, run)
            path = _write_sheet(run, restorations, output, invocation)
        return _end_without_sending(run, path, len(restorations), invocation)
    with open_session(settings) as context:
        return restore(context.journal.find_run(run_id), context, invocation, output, yes=yes)


def restore(run: Run, context: RunContext, invocation: Invocation, output: Path | None, *, yes: bool) -> int:
    """Compare the customers of a run again and send their previous values. Return the exit code."""
    require_same_host(run, context.host)
    restorations = find_restorations(context.journal, run)
    path = _write_sheet(run, restorations, output, invocation)
    if path is None:
        code = _end_without_sending(run, None, 0, invocation)
    else:
        code = _send_undo(run, restorations, path, context, invocation, yes=yes)
    if run.options.probe and code in (ExitCode.DONE, ExitCode.INCOMPLETE):
        overwriting = str(invocation.suggest("run", path)) if path else ""
        for sentence in end_probe(run, restorations, context, overwriting):
            invocation.console.warn(sentence)
    return code


def _write_sheet(
    run: Run, restorations: Sequence[Restoration], output: Path | None, invocation: Invocation
) -> Path | None:
    """Write the sheet and show what it cannot restore; None if there is nothing to restore."""
    if not restorations:
        return None
    sheet = make_undo_sheet(restorations)
    if run.options.probe:  # it has no file, and may be another host's
        path = output or make_inputs_folder(invocation.settings.state_dir) / f"probe-undo-{run.id}.xlsx"
    else:
        path = output or Path(run.results_path).with_name(f"{Path(run.file).stem}-undo-{run.id}.xlsx")
    sources = (Path(run.file), Path(run.results_path))
    require_output_place(path, OwnFileKind.UNDO, sources, force=invocation.force)
    write_customer_sheet(path, sheet.names, sheet.rows, sheet.remarks, OwnFileKind.UNDO, sheet.restored)
    show_remarks(sheet.remarks, invocation.console)
    return path


def _end_without_sending(run: Run, path: Path | None, rows: int, invocation: Invocation) -> int:
    command = invocation.suggest("undo", run.id, "--run", *list_given("output")) if path else None
    if path is None:
        invocation.console.info(f"Run {run.id} changed nothing that could be restored.")
    else:
        invocation.console.info(f"Undo sheet: {path}, {pluralize(rows, 'customer')}. Nothing was sent.")
        invocation.console.info(f"To send it, after comparing again: {command}")
    if invocation.as_json:
        print_json(report_sheet(run.file, rows, 0, ExitCode.DONE, path, command).to_json())
    return ExitCode.DONE


def _send_undo(
    run: Run,
    restorations: Sequence[Restoration],
    path: Path,
    context: RunContext,
    invocation: Invocation,
    *,
    yes: bool,
) -> int:
    console = invocation.console
    new_id = new_run_id(context.clock.now())
    results = default_results_path(path, new_id)
    require_results_place(results, path)
    print_estimate(count_recheck_requests(restorations), context, console)
    with watch_reading(len(restorations), context, console) as watch:
        compared = recheck_live(restorations, context.client, context.settings.concurrency, watch)
    _show_comparison(compared, console)
    show_profile(context, console)
    to_send = sum(comparison.status is Status.NOT_ATTEMPTED for comparison in compared)
    rows = list_undo_rows(compared, context.settings.rating_format)
    options = undo_options(run)
    if not confirm_plan(estimate_run(context, to_send, rows, options), options, console, yes=yes):
        console.info(f"Nothing was sent. The sheet is {path}.")
        return ExitCode.FILE_REFUSED
    return send(create_undo(context, run, new_id, compared, path, results), context, invocation)


def _show_comparison(compared: Sequence[UndoComparison], console: Console) -> None:
    counts = Counter(comparison.status for comparison in compared)
    console.info(
        f"To restore: {pluralize(counts[Status.NOT_ATTEMPTED], 'customer')}. Already restored: "
        f"{counts[Status.UNCHANGED]:,}. Changed since, left as they are: {counts[Status.REJECTED]:,}."
    )
    losses = sum(bool(comparison.losses) for comparison in compared)
    if losses:
        console.info(f"Customers with fields that cannot be restored: {losses:,}; the results name them.")
