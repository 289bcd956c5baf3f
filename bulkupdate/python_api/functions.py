"""`check`, `run`, `resume`, `retry`, `undo` and `runs`, as a program calls them."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypedDict, Unpack

import pandas as pd

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.errors import ExitCode, InputFileError, UsageError
from bulkupdate.python_api.execution import (
    USE_OVERWRITE,
    OnProgress,
    continue_run,
    describe_check,
    execute,
    find_begun,
    find_customers,
    hold_run_key,
    load_rows,
    open_session,
)
from bulkupdate.python_api.result_frames import Results, describe_rows, describe_run
from bulkupdate.python_api.sources import ReadingOptions, Source, SourceRows
from bulkupdate.runs.approved_plan import make_plan, require_approved, require_plan_place, write_plan
from bulkupdate.runs.context import open_context, require_same_host
from bulkupdate.runs.guards import check_limits
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.kept_files import place_results
from bulkupdate.runs.live.fetch import ignore_progress
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matched_input import FoundCustomers
from bulkupdate.runs.new_run import create_retry, create_run, new_run_id
from bulkupdate.runs.previous_runs import require_not_overtaken
from bulkupdate.runs.reporting.journal_report import find_unfinished
from bulkupdate.runs.reporting.results import default_results_path, require_results_place
from bulkupdate.runs.reporting.run_report import RunReport
from bulkupdate.runs.run_lock import effective_state, require_not_running
from bulkupdate.runs.run_records import RETRIED, RunOptions, RunState
from bulkupdate.runs.sending.selection import make_selection
from bulkupdate.runs.undo_send import create_undo, list_undo_rows, recheck_live
from bulkupdate.runs.undo_sheet import find_restorations, make_undo_sheet
from bulkupdate.settings import Settings
from bulkupdate.settings_sources import load_settings
from bulkupdate.spreadsheets.writing.customer_sheet import write_customer_sheet
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind


class RunKeywords(TypedDict, total=False):
    """Options of a run: those of the command line with these names."""

    skip_invalid: bool
    limit: int | None
    only_changes: bool
    since_last: bool
    max_age_days: float | None
    verify: bool
    snapshot: bool
    canary: int


class RunAndReading(RunKeywords, ReadingOptions, total=False):
    """Both."""


def check(
    source: Source,
    *,
    settings: Settings | None = None,
    plan: str | os.PathLike[str] | None = None,
    **options: Unpack[RunAndReading],
) -> Results:
    """Read and check every row, and return what `run` would send. Makes no request, unless a `key` must be searched.

    `settings` None: those of the environment and of `bulkupdate.toml`. `plan` is where to write the plan of a run with
    these options, to be approved; None: nowhere. The exit code is 1 if a row is invalid. Raises `InputFileError` if the
    source is not a table of customers, `UsageError` for an option that makes no sense.
    """
    settings = settings or load_settings({})
    asked = _take_run_options(options)
    if plan is not None:
        require_plan_place(Path(plan), force=False)
    elif asked:
        raise UsageError(f"Without plan, check does not use: {', '.join(asked)}.", remedy="Name a file for the plan.")
    rows = SourceRows(source, options, settings)
    with ExitStack() as stack:

        def find(key: Key, keys: Sequence[str]) -> FoundCustomers:
            settings.require_connection()
            return find_customers(stack.enter_context(open_context(settings, Clock(), threading.Event())), key, keys)

        checked_input = rows.load(settings, find)
    if plan is not None:
        write_plan(make_plan(checked_input, RunOptions(**asked), settings), Path(plan))
    return describe_check(checked_input)


def _take_run_options(options: RunAndReading) -> RunKeywords:
    """Remove the options of a run from all options, and return them."""
    return {name: options.pop(name) for name in RunKeywords.__annotations__ if name in options}  # type: ignore[misc,return-value]


def run(
    source: Source,
    *,
    settings: Settings | None = None,
    run_key: str = "",
    plan: str | os.PathLike[str] | None = None,
    results_path: str | os.PathLike[str] | None = None,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
    **options: Unpack[RunAndReading],
) -> Results:
    """Check all rows, then send one update for each. Nothing is asked, and nothing printed.

    If a row is invalid, nothing is sent unless `skip_invalid`, and the exit code is 3. `error` of the results says what
    stopped the run early; `resume` continues it. `run_key` is a name of your own: called again with the same one and
    the same rows, the function continues that run, or returns its results if it is finished. `plan` is the file of an
    approved plan: nothing else is sent; None: none is needed. `results_path` None: beside a file, or in the state
    folder for other sources. Once `stop` is set, the run ends as by Ctrl-C.

    Raises `InputFileError`, `UsageError`, `BusyError` if the same run is being sent, and `StoppedError` if the service
    or the journal fails before the run begins.
    """
    settings = settings or load_settings({})
    settings.require_connection()
    asked = _take_run_options(options)
    rows = SourceRows(source, options, settings)
    with open_session(settings, stop) as context, hold_run_key(run_key, context):
        if run_key and (begun := find_begun(run_key, rows, context)):
            return continue_run(begun, context, on_progress)
        checked_input = load_rows(rows, context)
        if plan is not None:
            require_approved(Path(plan), make_plan(checked_input, RunOptions(**asked), settings))
        if checked_input.invalid and not asked.get("skip_invalid"):
            return describe_check(checked_input, ExitCode.FILE_REFUSED)
        run_options = RunOptions(**asked, run_key=run_key)
        selection = make_selection(checked_input, context, run_options)
        if excess := check_limits(selection.rows(), settings):
            allow = "Check the rows. If they are right, raise max_changes or max_clears of the settings for this call."
            raise InputFileError(f"{excess.message} Nothing was sent.", remedy=allow)
        run_id = new_run_id(context.clock.now())
        results = Path(results_path) if results_path else place_results(rows.path, run_id, settings.state_dir)
        require_results_place(results, rows.path)
        begun = create_run(context, run_id, selection, run_options, results)
        return execute(begun, context, on_progress, run_options.limit)


def resume(
    run_id: str | None = None,
    *,
    settings: Settings | None = None,
    overwrite_newer: bool = False,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> Results:
    """Continue a run that stopped: only what was not confirmed is sent. None: the newest unfinished run.

    A finished run is returned as it is. Raises `OvertakenRunError` if newer runs have updated customers that wait in
    this one, unless `overwrite_newer`; else as `run` does.
    """
    with open_session(settings, stop) as context:
        unfinished = None if run_id else find_unfinished(context.journal)
        return continue_run(unfinished or context.journal.find_run(run_id), context, on_progress, overwrite_newer)


def retry(
    run_id: str | None = None,
    *,
    settings: Settings | None = None,
    overwrite_newer: bool = False,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> Results:
    """Send again, as a new run, the rows that failed, were rejected or are unknown. None: those of the newest run.

    A run without such rows is returned as it is. Raises as `resume` does.
    """
    with open_session(settings, stop) as context:
        parent = context.journal.find_run(run_id)
        require_same_host(parent, context.host)
        require_not_running(context.journal, parent)
        if next(iter(context.journal.checked_rows(parent, RETRIED)), None) is None:
            return describe_run(parent, context)
        if not overwrite_newer:
            require_not_overtaken(context.journal, parent, RETRIED, remedy=USE_OVERWRITE)
        new_id = new_run_id(context.clock.now())
        results = default_results_path(Path(parent.results_path).with_name(Path(parent.file).name), new_id)
        require_results_place(results, Path(parent.file))
        return execute(create_retry(context, parent, new_id, results), context, on_progress)


def undo(
    run_id: str,
    *,
    send: bool = False,
    settings: Settings | None = None,
    on_progress: OnProgress | None = None,
    stop: threading.Event | None = None,
) -> Results:
    """Compare the customers of a run with their previous values, and return what would restore them.

    The run must have been made with `snapshot`. With `send`, it is sent as a new run; a customer that was changed since
    is left alone. Raises `UsageError` if the run kept no previous values, else as `run` does.
    """
    with open_session(settings, stop) as context:
        parent = context.journal.find_run(run_id)
        require_same_host(parent, context.host)
        restorations = find_restorations(context.journal, parent)
        compared = recheck_live(restorations, context.client, context.settings.concurrency, ignore_progress)
        rows = list(list_undo_rows(compared, context.settings.rating_format))
        if not send or not rows:
            counts = {status: count for status in Status if (count := sum(row.status is status for row in rows))}
            report = RunReport(
                run=None, file=parent.file, parent=parent.id, state=RunState.FINISHED, exit_code=ExitCode.DONE,
                rows=len(rows), counts=counts, calls=context.client.calls,
            )  # fmt: skip
            return describe_rows(report, rows)
        new_id = new_run_id(context.clock.now())
        path = Path(parent.results_path).with_name(f"{Path(parent.file).stem}-undo-{new_id}.xlsx")
        sheet = make_undo_sheet(restorations)
        write_customer_sheet(path, sheet.names, sheet.rows, sheet.remarks, OwnFileKind.UNDO, sheet.restored)
        begun = create_undo(context, parent, new_id, compared, path, default_results_path(path, new_id))
        return execute(begun, context, on_progress)


def runs(*, settings: Settings | None = None) -> pd.DataFrame:
    """Return all runs of the state folder, newest first: one line each, with its rows by status. Makes no request."""
    settings = settings or load_settings({})
    with Journal(settings.store, Clock()) as journal:
        lines = [
            {
                "Run": run.id, "File": run.file, "State": effective_state(journal, run).value,
                "Started": run.started, "Ended": run.finished or None, "Parent": run.parent, "Service": run.host,
                "Requests": run.calls, "Rows": run.rows,
                **{status.value: journal.tally(run)[status] for status in Status},
            }
            for run in journal.runs()
        ]  # fmt: skip
    columns = ("Run", "File", "State", "Started", "Ended", "Parent", "Service", "Requests", "Rows", *Status)
    return pd.DataFrame(lines, columns=list(map(str, columns)))
