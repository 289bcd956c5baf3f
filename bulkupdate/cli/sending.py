"""Send the rows of a run and say how it ended, for `run`, `resume`, `retry` and `undo --run`."""

from __future__ import annotations

from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.progress import Progress
from bulkupdate.cli.signals import stop_on_signals
from bulkupdate.errors import ExitCode, InterruptedRunError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal_report import report_ending
from bulkupdate.runs.row_reasons import describe_row_reasons
from bulkupdate.runs.run_records import Run
from bulkupdate.runs.run_result import RunResult, describe_rest
from bulkupdate.runs.runner import execute_run
from bulkupdate.text import pluralize


def send(run: Run, context: RunContext, invocation: Invocation, *, limit: int | None = None) -> int:
    """Execute a run to its end, and say how it ended. `limit` is the most rows to send, None for all."""
    console = invocation.console
    total = sum(1 for _ in context.journal.pending(run))
    with (
        Progress(console, min(total, limit or total), context.client.quota, context.clock) as progress,
        stop_on_signals(context.stop, console),
    ):
        ending = execute_run(run, context, progress.watch, limit)
    print_result(ending, console)
    if invocation.as_json:
        print_json(report_ending(ending, context.journal, context.settings.state_dir).to_json())
    return ending.exit_code


def print_result(ending: RunResult, console: Console) -> None:
    """Show the summary, where the results are, and what to type next; never "done" if a row was not updated."""
    counts = ", ".join(f"{count:,} {status}" for status, count in ending.tally.counts.items() if count)
    if isinstance(ending.error, InterruptedRunError):
        console.info(str(ending.error))
    elif ending.error is not None:
        console.error(ending.error)
    verdict = (
        "Done" if ending.exit_code is ExitCode.DONE else "Not all rows went through" if not ending.error else "Stopped"
    )
    console.info(
        f"{verdict}: {pluralize(ending.tally.rows, 'row')}: {counts}. {pluralize(ending.run.calls, 'request')} used."
    )
    for reason in describe_row_reasons(ending.reasons):
        console.info(f"  {reason}")
    if ending.results_error is not None:
        console.error(ending.results_error)
        console.info(f"The results are safe in the journal: {ending.show_command}")
    if ending.results is not None:
        console.info(f"Results: {ending.results}")
    for sentence in describe_rest(ending.run, ending.tally, ending.to_fix):
        console.info(sentence)
    if ending.next_command is not None:
        console.info(f"Next: {ending.next_command}")
