"""One run before people's eyes: progress, stop, resume, retry, its results; and all of them in the history."""

from __future__ import annotations

import logging

from flask import Blueprint, Response, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.clock import format_local_time
from bulkupdate.customers.records import Status
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.records import Run, RunState, Tally
from bulkupdate.runs.run import RETRIED, UNDO, begin_retry, new_run_id
from bulkupdate.web.downloads import RESULTS, name_download, results_of, send_download, undo_of
from bulkupdate.web.history import list_history, show_file
from bulkupdate.web.jobs import Job
from bulkupdate.web.site import person, site

pages = Blueprint("run_pages", __name__)
log = logging.getLogger("bulkupdate.web")

MOST_IN_HISTORY = 200


@pages.get("/runs")
def history() -> str:
    """Who sent what, and when."""
    entries = list_history(site(), person(), MOST_IN_HISTORY)
    return render_template("history.html", entries=entries, is_admin=site().is_admin(person()))


@pages.get("/runs/<run_id>")
def show(run_id: str) -> str:
    """How far a run is, and what can be done now."""
    return render_template("run.html", **_describe(run_id))


@pages.get("/runs/<run_id>/progress")
def progress(run_id: str) -> str:
    """The part of that page that moves."""
    return render_template("_progress.html", **_describe(run_id))


@pages.post("/runs/<run_id>/stop")
def stop(run_id: str) -> AnyResponse:
    """Stop it: what is in flight is still recorded."""
    find_run(run_id)
    job = site().jobs.find(run_id)
    if job is not None:
        job.stop.set()
        log.info("run %s: asked to stop", run_id)
        if job.thread is not None:
            job.thread.join(3.0)
    return redirect(url_for("run_pages.show", run_id=run_id), 303)


@pages.post("/runs/<run_id>/resume")
def resume(run_id: str) -> AnyResponse:
    """Go on with what has not been confirmed."""
    with site().jobs.one_at_a_time():
        run = find_run(run_id)
        _require_own_login(run)
        if site().state_of(run) is RunState.STOPPED:
            site().jobs.launch(run.id, person())
            log.info("run %s: resumed", run_id)
    return redirect(url_for("run_pages.show", run_id=run_id), 303)


@pages.post("/runs/<run_id>/retry")
def retry(run_id: str) -> AnyResponse:
    """Send the rows that did not go through again, as a run of their own; there is one such run at most."""
    with site().jobs.one_at_a_time(), site().open_parts(person()) as parts:
        parent = find_run(run_id)
        _require_own_login(parent)
        child = _find_retry(parts.journal, parent)
        if (
            child is None
            and _count_retried(parts.journal.tally(parent))
            and site().state_of(parent) is RunState.FINISHED
        ):
            new_id = new_run_id(parts.clock.now())
            child = begin_retry(parts, parent, new_id, site().uploads.place_of(new_id) / RESULTS)
            site().jobs.launch(child.id, person())
            log.info("run %s: retries run %s", child.id, run_id)
    return redirect(url_for("run_pages.show", run_id=child.id if child else run_id), 303)


@pages.get("/runs/<run_id>/<any('results', 'to-fix'):what>.xlsx")
def results(run_id: str, what: str) -> Response:
    """What became of each row; or the rows to mend, in the form they came in."""
    run = find_run(run_id)
    if site().state_of(run) is RunState.RUNNING:
        abort(409, "The run is still going on. Its results can be had when it has ended or is stopped.")
    path, to_fix = results_of(site(), run)
    wanted = path if what == "results" else to_fix
    if wanted is None:
        abort(404)
    return send_download(wanted, name_download(show_file(run), what))


@pages.get("/runs/<run_id>/undo.xlsx")
def undo(run_id: str) -> Response:
    """The sheet that puts the values of before back; it is uploaded like any other."""
    run = find_run(run_id)
    if not _has_undo(run):
        abort(404)
    path = undo_of(site(), run)
    if path is None:
        abort(404, "This run changed nothing that could be put back.")
    return send_download(path, name_download(show_file(run), "undo"))


def _has_undo(run: Run) -> bool:
    return bool(run.options.get("snapshot")) and site().state_of(run) is not RunState.RUNNING


def find_run(run_id: str) -> Run:
    """The run, if it is for this person's eyes; else the page says that there is none."""
    run = site().find_run(run_id)
    if run is None or not site().may_see_run(person(), run):
        abort(404)
    return run


def _require_own_login(run: Run) -> None:
    if not site().may_send(person(), run):
        abort(403, f"Only {run.username}, with whose login this run was begun, can go on with it.")


def _find_retry(journal: Journal, parent: Run) -> Run | None:
    return next((run for run in journal.runs() if run.parent == parent.id and not run.options.get(UNDO)), None)


def _count_retried(tally: Tally) -> int:
    return sum(tally[status] for status in RETRIED)


def _say(status: Status, is_running: bool) -> str:
    """A status in words; while a run goes on, what is unknown is on its way."""
    return "in flight" if is_running and status is Status.UNKNOWN else status.value


def _describe(run_id: str) -> dict[str, object]:
    run = find_run(run_id)
    state, tally = site().state_of(run), site().journal.tally(run)
    is_running = state is RunState.RUNNING
    child = _find_retry(site().journal, run)
    job = site().jobs.find(run_id)
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
        "may_send": site().may_send(person(), run),
        "upload": site().uploads.find(run.id),
        **_describe_job(job),
    }


def _describe_job(job: Job | None) -> dict[str, object]:
    now = site().clock.now()
    waiting, end = (job.waiting, job.expected_end) if job is not None else (None, None)
    why = "Sellercloud asks to wait" if waiting is not None and waiting.throttled else "waiting for quota"
    return {
        "waiting": f"{why} until {format_local_time(waiting.until, now)}" if waiting is not None else "",
        "expected_end": format_local_time(end, now) if end is not None else "",
    }
