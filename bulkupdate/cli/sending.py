"""`run`, `resume`, `retry`: the commands that send."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulkupdate.cli.checking import show_intake, take_in_file, write_reports
from bulkupdate.cli.console import Console, Progress, print_json, stop_on_signals
from bulkupdate.cli.options import (
    FILE_ARGUMENT,
    RUN_ARGUMENT,
    common_options,
    make_run_options,
    make_settings,
    run_mode_options,
    sheet_options,
)
from bulkupdate.cli.planning import confirm_plan, make_plan, warn_of_earlier_runs
from bulkupdate.cli.reading import open_parts
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.text import pluralize, quote_argument

if TYPE_CHECKING:
    from bulkupdate.runs.input_file import CheckedInput
    from bulkupdate.runs.run_records import Run
    from bulkupdate.runs.runner import RunContext, RunOptions, RunResult
    from bulkupdate.settings import Settings

_OUTPUT = click.option("-o", "output", type=click.Path(path_type=Path), help="Where the results go (.xlsx or .csv).")
_YES = click.option("--yes", is_flag=True, help="Send without asking.")


@click.command("run", short_help="Check all rows of a file, then send them.")
@FILE_ARGUMENT
@_YES
@click.option("--dry-run", is_flag=True, help="Everything but the sending; the same as `check`.")
@click.option("--skip-invalid", is_flag=True, help="Send the valid rows though others are invalid.")
@click.option(
    "--limit",
    type=click.IntRange(1, 1_000_000_000),
    help="Send at most this many rows; `resume` sends the rest.",
)
@run_mode_options
@_OUTPUT
@sheet_options
@common_options
def run_command(file: Path, output: Path | None, as_json: bool, quiet: bool, **given: Any) -> int:
    """Check all rows of FILE, show the plan, ask, then send one update for each row.

    Nothing is sent while any row is invalid, unless --skip-invalid. The results say of each row what became of it.
    """
    from bulkupdate.runs.results import default_results_path, require_results_place
    from bulkupdate.runs.runner import new_run_id
    from bulkupdate.runs.selection import begin_planned, count_reading_beside

    console, settings = Console(quiet=quiet), make_settings(given)
    options = make_run_options(given, skip_invalid=given["skip_invalid"], limit=given["limit"])
    if given["dry_run"]:
        return _run_dry(file, settings, options, console, output, given, as_json=as_json)
    settings.require_connection()
    intake = take_in_file(file, settings, given)
    show_intake(intake, console)
    if intake.invalid and not given["skip_invalid"]:
        return _refuse(intake, console, as_json=as_json)
    with open_parts(settings) as parts:
        run_id = new_run_id(parts.clock.now())
        results = output or default_results_path(file, run_id)
        require_results_place(results, file)
        warn_of_earlier_runs(intake, parts, console)
        plan = make_plan(intake, options, parts, console)
        reading = count_reading_beside(plan, options)
        to_send = intake.to_send - plan.skipped_count
        count = min(to_send, options.limit or to_send)
        if not confirm_plan(count, parts, console, yes=given["yes"], reading=reading):
            console.info("Nothing was sent.")
            return ExitCode.FILE_REFUSED
        run = begin_planned(parts, run_id, plan, options, results)
        return send(run, parts, console, limit=given["limit"], as_json=as_json)


@click.command("resume", short_help="Continue a stopped run.")
@RUN_ARGUMENT
@_OUTPUT
@common_options
def resume_command(run_id: str | None, output: Path | None, as_json: bool, quiet: bool, **given: Any) -> int:
    """Go on with RUN, or without it with the newest unfinished: what was not confirmed is sent, and no other."""
    from bulkupdate.runs.run_records import RunState
    from bulkupdate.runs.run_report import find_unfinished, report_run

    console, settings = Console(quiet=quiet), make_settings(given)
    with open_parts(settings) as parts:
        unfinished = None if run_id else find_unfinished(parts.journal)
        run = unfinished or parts.journal.find_run(run_id)
        if run.state is RunState.FINISHED:
            console.info(f"Run {run.id} is finished: nothing to resume.")
            if as_json:
                print_json(report_run(run, parts.journal, settings.state_dir).to_json())
            return ExitCode.DONE if parts.journal.tally(run).is_all_well else ExitCode.INCOMPLETE
        require_same_host(run, parts)
        run = _move_results(run, output, parts)
        console.info(f"Continuing run {run.id} of {run.file}")
        return send(run, parts, console, limit=None, as_json=as_json)


@click.command("retry", short_help="Send again what failed, was rejected or is unknown.")
@RUN_ARGUMENT
@_YES
@_OUTPUT
@common_options
def retry_command(run_id: str | None, output: Path | None, as_json: bool, quiet: bool, **given: Any) -> int:
    """Send again, as a new run, the rows that failed, were rejected or are unknown.

    They are those of RUN, or of the newest run if none is named.
    """
    from bulkupdate.runs.results import default_results_path, require_results_place
    from bulkupdate.runs.run_lock import require_not_running
    from bulkupdate.runs.runner import RETRIED, begin_retry, new_run_id

    console, settings = Console(quiet=quiet), make_settings(given)
    with open_parts(settings) as parts:
        parent = parts.journal.find_run(run_id)
        require_same_host(parent, parts)
        require_not_running(settings.state_dir, parent)
        count = sum(1 for _ in parts.journal.checked_rows(parent, RETRIED))
        if not count:
            console.info(f"Run {parent.id} has no row that failed, was rejected or is unknown: nothing to retry.")
            if as_json:
                print_json(_NO_RUN)
            return ExitCode.DONE
        new_id = new_run_id(parts.clock.now())
        results = output or default_results_path(Path(parent.results_path).with_name(Path(parent.file).name), new_id)
        require_results_place(results, Path(parent.file))
        console.info(f"Sending again {pluralize(count, 'row')} of run {parent.id}")
        # whoever typed `retry` has agreed once already; a scheduler has nobody to ask
        if not confirm_plan(count, parts, console, yes=given["yes"] or not sys.stdin.isatty()):
            console.info("Nothing was sent.")
            return ExitCode.FILE_REFUSED
        return send(begin_retry(parts, parent, new_id, results), parts, console, limit=None, as_json=as_json)


COMMANDS = (run_command, resume_command, retry_command)

_NO_RUN: dict[str, Any] = {
    "run": None, "file": None, "state": "finished", "started": None, "rows": 0, "counts": {}, "problems": [],
    "calls": 0, "exit_code": 0, "results": None, "next": None,
}  # fmt: skip


def _run_dry(
    file: Path,
    settings: Settings,
    options: RunOptions,
    console: Console,
    output: Path | None,
    given: Mapping[str, Any],
    *,
    as_json: bool,
) -> int:
    """`check`; where the run would leave rows out, they are left out of the preview too."""
    from bulkupdate.runs.check_reports import require_report_places

    intake = take_in_file(file, settings, given)
    if not (options.only_changes or options.since_last):
        return write_reports(intake, settings, console, output, None, as_json=as_json)
    settings.require_connection()
    require_report_places(file, output, None)
    with open_parts(settings) as parts:
        plan = make_plan(intake, options, parts, console)
    live = plan.findings() if options.only_changes else None
    return write_reports(intake, settings, console, output, None, as_json=as_json, live=live, planned=plan)


def send(run: Run, parts: RunContext, console: Console, *, limit: int | None, as_json: bool) -> int:
    """Carry a run on to its end, and say how it ended."""
    from bulkupdate.runs.runner import execute_run

    total = sum(1 for _ in parts.journal.pending(run))
    with (
        Progress(console, min(total, limit or total), parts.client.quota, parts.clock) as progress,
        stop_on_signals(parts.stop, console),
    ):
        ending = execute_run(run, parts, progress.watch, limit)
    print_result(ending, console)
    if as_json:
        from bulkupdate.runs.run_report import report_ending

        print_json(report_ending(ending, parts.journal, parts.settings.state_dir).to_json())
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


def _refuse(intake: CheckedInput, console: Console, *, as_json: bool) -> int:
    from bulkupdate.runs.run_report import report_check

    report = intake.path.with_name(f"{intake.path.stem}-check.xlsx")
    command = f"bulkupdate check {quote_argument(intake.path)} -o {quote_argument(report)}"
    console.info(f"Nothing was sent: {intake.invalid:,} of {len(intake.checked):,} rows are invalid.")
    console.info(f"Fix them (`{command}` lists them all), or skip them with --skip-invalid.")
    if as_json:
        print_json(report_check(intake, ExitCode.FILE_REFUSED, None, command).to_json())
    return ExitCode.FILE_REFUSED


def require_same_host(run: Run, parts: RunContext) -> None:
    """Raise `UsageError` where the settings name another service than the run's."""
    if run.host != parts.host:
        raise UsageError(
            f"Run {run.id} is about {run.host}, but the settings name {parts.host}: nothing was sent.",
            remedy=f"Set BULKUPDATE_BASE_URL to the service at {run.host}.",
        )


def _move_results(run: Run, output: Path | None, parts: RunContext) -> Run:
    from bulkupdate.runs.results import require_results_place

    results = output or Path(run.results_path)
    require_results_place(results, Path(run.file))
    if output is not None:
        parts.journal.set_results_path(run, output.resolve())
    return parts.journal.find_run(run.id)
