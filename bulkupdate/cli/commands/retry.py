"""`retry`: send again what failed, was rejected or is unknown."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command
from bulkupdate.cli.confirmation import confirm_overwriting, confirm_plan
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import RESULTS_OPTION, RUN_ARGUMENT, YES_OPTION, common_options
from bulkupdate.cli.sending import send
from bulkupdate.cli.session import open_session, show_profile
from bulkupdate.errors import ExitCode
from bulkupdate.runs.context import require_same_host
from bulkupdate.runs.estimate import estimate_run
from bulkupdate.runs.new_run import create_retry, new_run_id
from bulkupdate.runs.reporting.results import default_results_path, require_results_place
from bulkupdate.runs.reporting.run_report import RunReport
from bulkupdate.runs.run_lock import require_not_running
from bulkupdate.runs.run_records import RETRIED, RunState
from bulkupdate.text import pluralize


@click.command(
    "retry",
    cls=Command,
    examples={
        "": "Send again what the newest run could not send.",
        "20260301-101500-a1b2 -o second-try.xlsx": "The same for this run, with its results in a file of that name.",
    },
)
@common_options
@RUN_ARGUMENT
@YES_OPTION
@RESULTS_OPTION
def command(invocation: Invocation, run_id: str | None, yes: bool, output: Path | None) -> int:
    """Send again, as a new run, the rows that failed, were rejected or are unknown.

    Takes them from RUN, or from the newest run if none is named.
    """
    console, settings = invocation.console, invocation.settings
    with open_session(settings) as context:
        parent = context.journal.find_run(run_id)
        require_same_host(parent, context.host)
        require_not_running(context.journal, parent)
        rows = list(context.journal.checked_rows(parent, RETRIED))
        if not rows:
            console.info(f"Run {parent.id} has no row that failed, was rejected or is unknown: nothing to retry.")
            if invocation.as_json:
                print_json(RunReport(run=None, file=None, state=RunState.FINISHED, exit_code=ExitCode.DONE).to_json())
            return ExitCode.DONE
        new_id = new_run_id(context.clock.now())
        beside = Path(parent.results_path).with_name(Path(parent.file).name)
        results = output or default_results_path(beside, new_id)
        require_results_place(results, Path(parent.file), force=invocation.force)
        console.info(f"Sending again {pluralize(len(rows), 'row')} of run {parent.id}")
        show_profile(context, console)
        # the user who typed `retry` has agreed once already; a scheduler cannot be asked
        is_agreed = yes or not sys.stdin.isatty()
        options = parent.options.for_retry()
        if not (
            confirm_overwriting(parent, RETRIED, context, console, yes=yes)
            and confirm_plan(estimate_run(context, len(rows), rows, options), options, console, yes=is_agreed)
        ):
            console.info("Nothing was sent.")
            return ExitCode.FILE_REFUSED
        return send(create_retry(context, parent, new_id, results), context, invocation)
