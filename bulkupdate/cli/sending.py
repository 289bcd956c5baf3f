"""Send the rows of a run and show how it ended, for `run`, `resume`, `retry` and `undo --run`."""

from __future__ import annotations

from dataclasses import replace

from bulkupdate.cli.console import paint, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.progress import Progress
from bulkupdate.cli.signals import stop_on_signals
from bulkupdate.customers.row_reasons import describe_row_reasons
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.reporting.journal_report import report_result
from bulkupdate.runs.reporting.run_result import RunResult, describe_rest
from bulkupdate.runs.run_records import Run
from bulkupdate.runs.sending.runner import execute_run
from bulkupdate.text import pluralize


def send(run: Run, context: RunContext, invocation: Invocation, *, limit: int | None = None) -> int:
    """Execute a run, and show how it ended. `limit` is the maximum number of rows to send, None for all."""
    console = invocation.console
    total = context.journal.count_pending(run)
    with (
        Progress(console, min(total, limit or total), context.client.quota, context.clock) as progress,
        stop_on_signals(context.stop, console),
    ):
        result = execute_run(run, context, progress.watch, limit, progress.watch_phase)
    print_result(result, invocation)
    if invocation.as_json:
        report = report_result(result, context.journal)
        print_json(replace(report, next_command=invocation.repeat_options(report.next_command)).to_json())
    return result.exit_code


def print_result(result: RunResult, invocation: Invocation) -> None:
    """Show the summary, the results file and the next command; never "Done" if a row was not updated."""
    console = invocation.console
    counts = ", ".join(f"{count:,} {status}" for status, count in result.tally.counts.items() if count)
    if result.error is not None:
        console.error(result.error)
    is_well = result.tally.is_all_well and not result.error
    verdict = "Done" if is_well else "Stopped" if result.error else "Not all rows went through"
    rows, requests = pluralize(result.tally.rows, "row"), pluralize(result.run.calls, "request")
    console.info(f"{paint(verdict, is_well=is_well)}: {rows}: {counts}. {requests} used.")
    for reason in describe_row_reasons(result.reasons):
        console.info(f"  {reason}")
    if result.results_error is not None:
        console.error(result.results_error)
        console.info(f"The results are safe in the journal: {invocation.repeat_options(result.show_command)}")
    if result.results is not None:
        console.info(f"Results: {result.results}")
    for sentence in describe_rest(result.run, result.tally, result.to_fix, invocation.repeat_options):
        console.info(sentence)
    if result.next_command is not None:
        console.info(f"Next: {invocation.repeat_options(result.next_command)}")
