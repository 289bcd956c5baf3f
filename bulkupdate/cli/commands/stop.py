"""`stop`: stop a run that another process sends, on this host or another one."""

from __future__ import annotations

import threading

import click

from bulkupdate.cli.command_help import Command
from bulkupdate.cli.console import print_json
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import RUN_ARGUMENT, common_options
from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.journal_report import report_run
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.stop_requests import ask_to_stop, name_user
from bulkupdate.store.audit_log import AuditLog

_WAIT_SECONDS = 60.0
_POLL_SECONDS = 0.2


@click.command(
    "stop",
    cls=Command,
    examples={
        "": "Stop the newest run that is being sent.",
        "20260301-101500-a1b2": "Stop this run, whichever program on whichever host sends it.",
    },
)
@common_options
@RUN_ARGUMENT
def command(invocation: Invocation, run_id: str | None) -> int:
    """Stop RUN, or the newest run that is being sent, as Ctrl-C does where it was started.

    Requests in flight are still recorded, and `resume` continues the run. A run of a night ends the night.
    """
    console, settings = invocation.console, invocation.settings
    with Journal(settings.store, Clock(), checks_pages=False) as journal:
        run = journal.find_run(run_id) if run_id else _find_running(journal)
        ask_to_stop(journal, run, user := name_user())
        AuditLog(settings.store, Clock()).record("stopped", user=user, about=run.id)
        is_stopped = _wait_for_end(journal, run)
        report = report_run(journal.find_run(run.id), journal)
    where = f" on {run.machine}" if run.machine else ""
    console.info(
        f"Run {run.id}{where} has ended: it is {report.state}."
        if is_stopped
        else f"Run {run.id}{where} was asked to stop, but still waits for the answers to its last requests."
    )
    if invocation.as_json:
        print_json(report.to_json())
    return ExitCode.DONE if is_stopped else ExitCode.BUSY


def _find_running(journal: Journal) -> Run:
    running = (run for run in journal.unfinished_runs() if effective_state(journal, run) is RunState.RUNNING)
    if (run := next(running, None)) is None:
        raise UsageError("No run is being sent.", remedy="`bulkupdate runs` lists all runs with their states.")
    return run


def _wait_for_end(journal: Journal, run: Run) -> bool:
    """Return whether the run ended soon."""
    clock, forever = Clock(), threading.Event()
    deadline = clock.monotonic() + _WAIT_SECONDS
    while is_running := effective_state(journal, journal.find_run(run.id)) is RunState.RUNNING:
        if clock.monotonic() > deadline:
            break
        clock.wait(_POLL_SECONDS, forever)
    return not is_running
