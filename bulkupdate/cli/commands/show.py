"""`show`: one run, and its results written again."""

from __future__ import annotations

from pathlib import Path

import click

from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import RUN_ARGUMENT, common_options
from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal_report import report_run
from bulkupdate.runs.results import require_results_place, summarise_run, write_run_results


@click.command("show")
@common_options
@RUN_ARGUMENT
@click.option("-o", "output", type=click.Path(path_type=Path), help="Write its results here (.xlsx or .csv).")
def command(invocation: Invocation, run_id: str | None, output: Path | None) -> int:
    """Show RUN, or the newest without it, from the journal alone: the input file is not needed."""
    console, state_dir = invocation.console, invocation.settings.state_dir
    with Journal(state_dir, Clock()) as journal:
        run = journal.find_run(run_id)
        if output is not None:
            require_results_place(output, None)
            for path in write_run_results(run, journal, output):
                if path is not None:
                    console.info(f"Written: {path}")
        report = report_run(run, journal, state_dir)
    if invocation.as_json:
        described = report.to_json()
        print_json({**described, "results": str(output) if output else described["results"]})
        return ExitCode.DONE
    for label, value in summarise_run(run):
        click.echo(f"{label + ':':<40} {report.state if label == 'State' else value}")
    for status, count in report.counts.items():
        click.echo(f"{f'Rows {status}:':<40} {count:,}")
    if report.next_command:
        console.info(f"Next: {report.next_command}")
    return ExitCode.DONE
