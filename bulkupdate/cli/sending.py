"""Send the rows of a run and say how it ended, for `run`, `resume`, `retry` and `undo --run`."""

from __future__ import annotations

from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.progress import Progress
from bulkupdate.cli.signals import stop_on_signals
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.journal_report import report_ending
from bulkupdate.runs.run_records import Run
from bulkupdate.runs.runner import RunContext, RunResult, execute_run
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
    if ending.error is not None:
        console.error(ending.error)
    verdict = (
        "Done" if ending.exit_code is ExitCode.DONE else "Not all rows went through" if not ending.error else "Stopped"
    )
    console.info(
        f"{verdict}: {pluralize(ending.tally.rows, 'row')}: {counts}. {pluralize(ending.run.calls, 'call')} used."
    )
    if ending.results_error is not None:
        console.error(ending.results_error)
        console.info(f"The results are safe in the journal: {ending.show_command}")
    if ending.results is not None:
        console.info(f"Results: {ending.results}")
    if ending.to_fix is not None:
        console.info(f"Rows to fix: {ending.to_fix}")
    if ending.next_command is not None:
        console.info(f"Next: {ending.next_command}")


def require_same_host(run: Run, context: RunContext) -> None:
    """Raise `UsageError` if the settings name another service than the run's."""
    if run.host != context.host:
        raise UsageError(
            f"Run {run.id} is about {run.host}, but the settings name {context.host}: nothing was sent.",
            remedy=f"Set BULKUPDATE_BASE_URL to the service at {run.host}.",
        )
