"""`show`: one run, and its results written again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from bulkupdate.cli.command_help import Command, OptionGroup, option
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import RUN_ARGUMENT, common_options, output_option
from bulkupdate.clock import Clock
from bulkupdate.customers.row_reasons import describe_row_reasons
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.journal_report import report_run
from bulkupdate.runs.reporting.results import describe_run, require_results_place, write_run_results
from bulkupdate.runs.reporting.run_report import RunReport
from bulkupdate.runs.reporting.run_result import describe_rest
from bulkupdate.runs.run_records import Run, RunState, StatusCounts
from bulkupdate.spreadsheets.writing.output_place import require_output_place
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.row_file import write_row_file


@click.command(
    "show",
    cls=Command,
    examples={
        "": "Show the newest run.",
        "20260301-101500-a1b2 -o results.xlsx": "Show this run, and write its results again.",
        "--rows -o rows.parquet": "Write what happened to each row of the newest run, for programs.",
    },
)
@common_options
@RUN_ARGUMENT
@option(
    "--rows",
    "has_rows",
    is_flag=True,
    group=OptionGroup.OUTPUT,
    help="Write a record for each row instead, for programs: .jsonl or .parquet.",
)
@output_option("Write its results again to this file, .xlsx or .csv.")
def command(invocation: Invocation, run_id: str | None, output: Path | None, has_rows: bool) -> int:
    """Show RUN, or the newest run if none is named. Reads only the journal: the input file is not needed."""
    console = invocation.console
    with Journal(invocation.settings.store, Clock()) as journal, journal.home.reading():
        run = journal.find_run(run_id)
        for path in _write(run, journal, output, has_rows, invocation):
            console.info(f"Written: {path}")
        report = report_run(run, journal)
    report = replace(report, next_command=invocation.repeat_options(report.next_command))
    if invocation.as_json:
        described = report.to_json()
        print_json({**described, "results": str(output) if output else described["results"]})
        return ExitCode.DONE
    _print(run, report, invocation)
    return ExitCode.DONE


def _write(run: Run, journal: Journal, output: Path | None, has_rows: bool, invocation: Invocation) -> list[Path]:
    """Write what was asked for, and return the files."""
    if output is None:
        if has_rows:
            raise UsageError("--rows needs a file to write to.", remedy="Name it: -o rows.jsonl or -o rows.parquet.")
        return []
    if has_rows:
        require_output_place(output, OwnFileKind.ROWS, force=invocation.force)
        write_row_file(output, journal.lines(run), journal.tally(run).counts)
        return [output]
    require_results_place(output, None, force=invocation.force)
    return [path for path in write_run_results(run, journal, output) if path is not None]


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
