"""One run before people's eyes: progress, stop, resume, retry, its results; and all of them in the history."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.clock import format_local_time
from bulkupdate.customers.models import Status
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import Run, RunState, StatusCounts
from bulkupdate.runs.runner import RETRIED, UNDO, begin_retry, new_run_id
from bulkupdate.web.downloads import RESULTS, name_download, results_for, send_download, undo_sheet_for
from bulkupdate.web.history_views import list_history, show_file
from bulkupdate.web.jobs import Job
from bulkupdate.web.page_context import current_context, current_user

pages = Blueprint("run_pages", __name__)
log = logging.getLogger("bulkupdate.web")

MOST_IN_HISTORY = 200


@pages.get("/runs")
def history() -> str:
    """Who sent what, and when."""
    entries = list_history(current_context(), current_user(), MOST_IN_HISTORY)
    return render_template("history.html", entries=entries, is_admin=current_context().is_admin(current_user()))


@pages.get("/runs/<run_id>")
def show(run_id: str) -> str:
    """How far a run is, and what can be done now."""
    return render_template("run.html", **_describe(run_id))


@pages.get("/runs/<run_id>/progress")
def progress(run_id: str) -> str:
    """Return the part of that page that moves."""
    return render_template("_progress.html", **_describe(run_id))


@pages.post("/runs/<run_id>/stop")
def stop(run_id: str) -> AnyResponse:
    """Stop it: what is in flight is still recorded."""
    find_run(run_id)
    job = current_context().jobs.find(run_id)
    if job is not None:
        job.stop.set()
        log.info("run %s: asked to stop", run_id)
        if job.thread is not None:
            job.thread.join(3.0)
    return redirect(url_for("run_pages.show", run_id=run_id), 303)


@pages.post("/runs/<run_id>/resume")
def resume(run_id: str) -> AnyResponse:
    """Go on with what has not been confirmed."""
    with current_context().jobs.one_at_a_time():
        run = find_run(run_id)
        _require_own_login(run)
        if current_context().state_of(run) is RunState.STOPPED:
            current_context().jobs.launch(run.id, current_user())
            log.info("run %s: resumed", run_id)
    return redirect(url_for("run_pages.show", run_id=run_id), 303)


@pages.post("/runs/<run_id>/retry")
def retry(run_id: str) -> AnyResponse:
    """Send the rows that did not go through again, as a run of their own; there is one such run at most."""
    with current_context().jobs.one_at_a_time(), current_context().open_parts(current_user()) as parts:
        parent = find_run(run_id)
        _require_own_login(parent)
        child = _find_retry(parts.journal, parent)
        if (
            child is None
            and _count_retried(parts.journal.tally(parent))
            and current_context().state_of(parent) is RunState.FINISHED
        ):
            new_id = new_run_id(parts.clock.now())
            child = begin_retry(parts, parent, new_id, current_context().uploads.place_of(new_id) / RESULTS)
            current_context().jobs.launch(child.id, current_user())
            log.info("run %s: retries run %s", child.id, run_id)
    return redirect(url_for("run_pages.show", run_id=child.id if child else run_id), 303)


@pages.get("/runs/<run_id>/<any('results', 'to-fix'):what>.xlsx")
def results(run_id: str, what: str) -> Response:
    """Return what became of each row; or the rows to mend, in the form they came in."""
    run = find_run(run_id)
    if current_context().state_of(run) is RunState.RUNNING:
        abort(409, "The run is still running. Its results are available when it has ended or is stopped.")
    path, to_fix = results_for(current_context(), run)
    wanted = path if what == "results" else to_fix
    if wanted is None:
        abort(404)
    return send_download(wanted, name_download(show_file(run), what))


@pages.get("/runs/<run_id>/undo.xlsx")
def undo(run_id: str) -> Response:
    """Return the sheet that restores the previous values; it is uploaded like any other."""
    run = find_run(run_id)
    if not _has_undo(run):
        abort(404)
    path = undo_sheet_for(current_context(), run)
    if path is None:
        abort(404, "This run changed nothing that could be restored.")
    return send_download(path, name_download(show_file(run), "undo"))


def _has_undo(run: Run) -> bool:
    return bool(run.options.get("snapshot")) and current_context().state_of(run) is not RunState.RUNNING


def find_run(run_id: str) -> Run:
    """Return the run, if it is for this person's eyes; else the page says that there is none."""
    run = current_context().find_run(run_id)
    if run is None or not current_context().may_see_run(current_user(), run):
        abort(404)
    return run


def _require_own_login(run: Run) -> None:
    if not current_context().may_send(current_user(), run):
        abort(403, f"Only {run.username}, whose login started this run, can continue it.")


def _find_retry(journal: Journal, parent: Run) -> Run | None:
    return next((run for run in journal.runs() if run.parent == parent.id and not run.options.get(UNDO)), None)


def _count_retried(tally: StatusCounts) -> int:
    return sum(tally[status] for status in RETRIED)


def _say(status: Status, is_running: bool) -> str:
    """Return a status in words; while a run goes on, what is unknown is on its way."""
    return "in flight" if is_running and status is Status.UNKNOWN else status.value


def _describe(run_id: str) -> dict[str, object]:
    run = find_run(run_id)
    state, tally = current_context().state_of(run), current_context().journal.tally(run)
    is_running = state is RunState.RUNNING
    child = _find_retry(current_context().journal, run)
    job = current_context().jobs.find(run_id)
    return {
        "run": run,
        "name": show_file(run),
        "state": state,
        "is_running": is_running,
        "is_here": job is not None,
        "is_stopping": job is not None and job.stop.is_set(),
        "counts": [(_say(status, is_running), tally[status]) for status in Status if tally[status]],
        "done": tally.rows - tally[Status.NOT_ATTEMPTED] - (tally[Status.UNKNOWN] if is_running else 0),
        "is_all_well": tally.is_all_well,
        "left_over": tally.rows - tally[Status.UPDATED] - tally[Status.UNCHANGED],
        "retried": _count_retried(tally),
        "has_undo": _has_undo(run),
        "child": child,
        "may_send": current_context().may_send(current_user(), run),
        "upload": current_context().uploads.find(run.id),
        **_describe_job(job),
    }


def _describe_job(job: Job | None) -> dict[str, object]:
    now = current_context().clock.now()
    waiting, end = (job.waiting, job.expected_end) if job is not None else (None, None)
    why = "Sellercloud asks to wait" if waiting is not None and waiting.throttled else "waiting for quota"
    return {
        "waiting": f"{why} until {format_local_time(waiting.until, now)}" if waiting is not None else "",
        "expected_end": format_local_time(end, now) if end is not None else "",
    }
