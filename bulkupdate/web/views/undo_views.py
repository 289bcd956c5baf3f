"""Undoing a run: its customers are compared again, and what restores them is a run that waits until it is sent."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response

from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.runs.new_run import new_run_id
from bulkupdate.runs.retention import delete_run
from bulkupdate.runs.run_records import Run
from bulkupdate.runs.undo_send import count_recheck_requests, create_undo, recheck_live
from bulkupdate.runs.undo_sheet import Restoration, find_restorations
from bulkupdate.web.downloads import CANNOT_UNDO, NOTHING_TO_RESTORE, has_undo, name_download, write_undo
from bulkupdate.web.jobs import Job, Prepare
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.plan import estimate_reads
from bulkupdate.web.run_access import find_run, record_event, require_own_login
from bulkupdate.web.undo_comparison import find_undo, is_outdated
from bulkupdate.web.uploads.upload_store import RESULTS
from bulkupdate.web.views.history_views import name_file
from bulkupdate.web.waiting import describe_wait, explain_failure, stop_reading, wait_briefly

pages = Blueprint("undo", __name__)

_STOPPED = "It was stopped before all customers were compared."


@pages.get("/runs/<run_id>/undo")
def show(run_id: str) -> str | Response:
    """Return what comparing costs, or how far it is; or lead to the run that was made of it."""
    context, run = current_context(), _find_undoable(run_id)
    job, made = context.jobs.find(_key(run)), find_undo(context.journal, run)
    if job is None and made is not None and not is_outdated(made, context.clock.now()):
        return redirect(url_for("runs.show", run_id=made.id), 303)
    restorations = find_restorations(context.journal, run) if job is None else []
    return render_template(
        "undo.html",
        run=run,
        name=name_file(run),
        job=job,
        customers=len(restorations),
        plan=estimate_reads(count_recheck_requests(restorations)) if job is None else None,
        waiting=describe_wait(job),
        error=explain_failure(_key(run), _STOPPED) if job is None else "",
    )


@pages.post("/runs/<run_id>/undo")
def compare(run_id: str) -> Response:
    """Compare the customers with what the run sent, and write the run that restores them; nothing is sent."""
    context = current_context()
    with context.one_at_a_time(run_id):
        run = _find_undoable(run_id)
        job, made = context.jobs.find(_key(run)), find_undo(context.journal, run)
        if job is None and (made is None or is_outdated(made, context.clock.now())):
            if made is not None:
                delete_run(context.journal, context.settings.state_dir, made)
            restorations = find_restorations(context.journal, run)
            if not restorations:
                abort(409, NOTHING_TO_RESTORE)
            prepare = _make_prepare(run, restorations, write_undo(context, run, restorations))
            job = context.jobs.launch(Job(_key(run), current_user(), 0, prepare, len(restorations)))
            record_event("compared for undo", run_id)
        wait_briefly(job)
    return redirect(url_for("undo.show", run_id=run_id), 303)


@pages.post("/runs/<run_id>/undo/stop")
def stop(run_id: str) -> Response:
    """Stop comparing."""
    run = _find_undoable(run_id)
    stop_reading(current_context().jobs.find(_key(run)))
    return redirect(url_for("undo.show", run_id=run_id), 303)


def _find_undoable(run_id: str) -> Run:
    run = find_run(run_id)
    require_own_login(run)
    if not has_undo(current_context(), run):
        abort(409, CANNOT_UNDO)
    return run


def _key(run: Run) -> str:
    """Return the name of the job that compares; the run itself may have another one."""
    return f"{run.id}-undo"


def _make_prepare(run: Run, restorations: list[Restoration], sheet: Path) -> Prepare:
    context = current_context()
    child_id = new_run_id(context.clock.now())
    results = context.uploads.folder_of(child_id) / RESULTS

    def prepare(run_context: RunContext, watch: WatchReading) -> None:
        compared = recheck_live(restorations, run_context.client, run_context.settings.concurrency, watch)
        create_undo(run_context, run, child_id, compared, sheet, results, name_download(name_file(run), "undo"))

    return prepare
