"""`resume`: continue a stopped run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, OptionGroup, option
from bulkupdate.cli.confirmation import confirm_overwriting
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import RESULTS_OPTION, RUN_ARGUMENT, common_options
from bulkupdate.cli.run_options import CANARY_OPTION
from bulkupdate.cli.sending import send
from bulkupdate.cli.session import open_session, show_profile
from bulkupdate.errors import ExitCode
from bulkupdate.runs.context import RunContext, require_same_host
from bulkupdate.runs.reporting.journal_report import find_unfinished, report_run
from bulkupdate.runs.reporting.results import require_results_place
from bulkupdate.runs.run_records import UNCONFIRMED, Run, RunState


@click.command(
    "resume",
    cls=Command,
    examples={
        "": "Continue the newest run that was stopped.",
        "20260301-101500-a1b2 --yes": "Continue this run, without asking.",
    },
)
@common_options
@RUN_ARGUMENT
@option(
    "--yes",
    is_flag=True,
    group=OptionGroup.SENDING,
    help="Do not ask, even if newer runs have updated the same customers.",
)
@CANARY_OPTION
@RESULTS_OPTION
def command(invocation: Invocation, run_id: str | None, yes: bool, canary: int | None, output: Path | None) -> int:
    """Continue RUN, or without it the newest unfinished run: only what was not confirmed is sent.

    If another run has updated some of these customers since, it asks before it overwrites their values.
    """
    with open_session(invocation.settings) as context:
        unfinished = None if run_id else find_unfinished(context.journal)
        run = unfinished or context.journal.find_run(run_id)
        if run.state is RunState.FINISHED:
            return _report_finished(run, context, invocation)
        require_same_host(run, context.host)
        show_profile(context, invocation.console)
        if not confirm_overwriting(run, UNCONFIRMED, context, invocation.console, yes=yes):
            invocation.console.info("Nothing was sent.")
            return ExitCode.FILE_REFUSED
        if canary is not None:
            context.journal.set_options(run, replace(run.options, canary=canary))
        run = _move_results(run, output, context, force=invocation.force)
        invocation.console.info(f"Continuing run {run.id} of {run.file}")
        return send(run, context, invocation)


def _report_finished(run: Run, context: RunContext, invocation: Invocation) -> int:
    invocation.console.info(f"Run {run.id} is finished: nothing to resume.")
    if invocation.as_json:
        print_json(report_run(run, context.journal).to_json())
    return ExitCode.DONE if context.journal.tally(run).is_all_well else ExitCode.INCOMPLETE


def _move_results(run: Run, output: Path | None, context: RunContext, *, force: bool) -> Run:
    results = output or Path(run.results_path)
    require_results_place(results, Path(run.file), force=force)
    if output is not None:
        context.journal.set_results_path(run, output.resolve())
    return context.journal.find_run(run.id)
