"""`show`: one run, and its results written again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import RUN_ARGUMENT, common_options, output_option
from bulkupdate.clock import Clock
from bulkupdate.customers.row_reasons import describe_row_reasons
from bulkupdate.errors import ExitCode
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal_report import report_run
from bulkupdate.runs.results import describe_run, require_results_place, write_run_results
from bulkupdate.runs.run_records import Run, RunState, StatusCounts
from bulkupdate.runs.run_report import RunReport
from bulkupdate.runs.run_result import describe_rest


@click.command(
    "show",
    cls=Command,
    examples={
        "": "Show the newest run.",
        "20260301-101500-a1b2 -o results.xlsx": "Show this run, and write its results again.",
    },
)
@common_options
@RUN_ARGUMENT
@output_option("Write its results again to this file, .xlsx or .csv.")
def command(invocation: Invocation, run_id: str | None, output: Path | None) -> int:
    """Show RUN, or the newest without it, from the journal alone: the input file is not needed."""
    console, state_dir = invocation.console, invocation.settings.state_dir
    with Journal(state_dir, Clock()) as journal:
        run = journal.find_run(run_id)
        if output is not None:
            require_results_place(output, None, force=invocation.force)
            for path in write_run_results(run, journal, output):
                if path is not None:
                    console.info(f"Written: {path}")
        report = report_run(run, journal, state_dir)
    report = replace(report, next_command=invocation.repeat_options(report.next_command))
    if invocation.as_json:
        described = report.to_json()
        print_json({**described, "results": str(output) if output else described["results"]})
        return ExitCode.DONE
    _print(run, report, invocation)
    return ExitCode.DONE


def _print(run: Run, report: RunReport, invocation: Invocation) -> None:
    for label, value in describe_run(run):
        click.echo(f"{f'{label}:':<24} {report.state if label == 'State' else value}")
    counts = StatusCounts(report.counts)
    for status, count in counts.counts.items():
        click.echo(f"{f'Rows {status}:':<24} {count:,}")
    for reason in describe_row_reasons(report.reasons):
        click.echo(f"  {reason}")
    if report.state is RunState.RUNNING:
        return
    for sentence in describe_rest(run, counts, report.to_fix, invocation.repeat_options):
        invocation.console.info(sentence)
    if report.next_command:
        invocation.console.info(f"Next: {report.next_command}")
