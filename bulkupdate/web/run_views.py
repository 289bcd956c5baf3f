"""The page of a run: progress, stop, resume, retry, and its downloads."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.customers.models import Status
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.new_run import create_retry, new_run_id
from bulkupdate.runs.previous_runs import describe_newer_runs, find_newer_runs
from bulkupdate.runs.run_records import RETRIED, TO_FIX, UNCONFIRMED, Run, RunState, StatusCounts
from bulkupdate.web.downloads import RESULTS, make_results, make_undo_download, name_download, send_download
from bulkupdate.web.history_views import name_file
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.permissions import may_continue, may_see_run
from bulkupdate.web.run_progress import ProgressCache, RunProgress, find_progress

pages = Blueprint("runs", __name__)
log = logging.getLogger("bulkupdate.web")

STOP_WAIT_SECONDS = 0.5
"""How long Stop waits, so that the next page can show the run as stopped already."""

_CACHE = "bulkupdate-progress"


@pages.get("/runs/<run_id>")
def show(run_id: str) -> str:
    """Return the page of a run."""
    context, run = current_context(), find_run(run_id)
    counts, state, child = context.journal.tally(run), context.state_of(run), _find_retry(context.journal, run)
    retried = _count_retried(counts) if counts[Status.FAILED] or counts[Status.UNKNOWN] else 0
    sent_again = UNCONFIRMED if state is RunState.STOPPED else RETRIED if retried and child is None else ()
    return render_template(
        "run.html",
        run=run,
        name=name_file(run),
        progress=find_progress(context, run),
        to_fix=sum(counts[status] for status in TO_FIX),
        retried=retried,
        overtaken=_warn_of_newer_runs(run, sent_again) if state is not RunState.RUNNING and sent_again else "",
        has_undo=_has_undo(run) and counts[Status.NOT_ATTEMPTED] < counts.rows,
        child=child,
        may_continue=may_continue(current_user(), run),
        upload=context.uploads.find(run.id),
    )


@pages.get("/runs/<run_id>/progress")
def progress(run_id: str) -> str:
    """Return the part of that page that changes while the run is being sent."""
    context = current_context()
    cache = current_app.extensions.setdefault(_CACHE, ProgressCache(context.clock))
    rendered = cache.get(run_id, lambda: _find_progress(run_id), _render_progress)
    if not may_see_run(context.settings, current_user(), rendered.progress.run, context.uploads.find(run_id)):
        abort(404)
    return str(rendered.page)


def _find_progress(run_id: str) -> RunProgress:
    context = current_context()
    job = context.jobs.find(run_id)
    run = job.progress.run if job is not None and job.progress is not None else context.find_run(run_id)
    if run is None:
        abort(404)
    return find_progress(context, run)


def _render_progress(progress: RunProgress) -> str:
    return render_template("_progress.html", progress=progress)


@pages.post("/runs/<run_id>/stop")
def stop(run_id: str) -> AnyResponse:
    """Stop a run: what is in flight is still recorded."""
    find_run(run_id)
    job = current_context().jobs.find(run_id)
    if job is not None:
        job.stop.set()
        _record("stopped", run_id)
        if job.thread is not None:
            job.thread.join(STOP_WAIT_SECONDS)
    return redirect(url_for("runs.show", run_id=run_id), 303)


@pages.post("/runs/<run_id>/resume")
def resume(run_id: str) -> AnyResponse:
    """Send the rows of a stopped run that have not been confirmed."""
    context = current_context()
    with context.jobs.one_at_a_time(run_id):
        run = find_run(run_id)
        _require_own_login(run)
        if context.state_of(run) is RunState.STOPPED:
            _require_agreement(run, UNCONFIRMED)
            context.jobs.launch(run.id, current_user())
            _record("resumed", run_id)
    return redirect(url_for("runs.show", run_id=run_id), 303)


@pages.post("/runs/<run_id>/retry")
def retry(run_id: str) -> AnyResponse:
    """Send the rows that did not go through again, in a new run; each run is retried once."""
    context = current_context()
    with context.jobs.one_at_a_time(run_id), context.open_run_context(current_user()) as run_context:
        parent = find_run(run_id)
        _require_own_login(parent)
        child = _find_retry(run_context.journal, parent)
        is_finished = context.state_of(parent) is RunState.FINISHED
        if child is None and is_finished and _count_retried(run_context.journal.tally(parent)):
            _require_agreement(parent, RETRIED)
            new_id = new_run_id(run_context.clock.now())
            child = create_retry(run_context, parent, new_id, context.uploads.folder_of(new_id) / RESULTS)
            context.jobs.launch(child.id, current_user())
            _record("retried", run_id)
    return redirect(url_for("runs.show", run_id=child.id if child else run_id), 303)


@pages.get("/runs/<run_id>/<any('results', 'to-fix'):what>.xlsx")
def results(run_id: str, what: str) -> Response:
    """Return the result of each row; or the rows to fix, in the format of the upload."""
    run = find_run(run_id)
    if current_context().state_of(run) is RunState.RUNNING:
        abort(409, "The run is still running. Its results are available when it has ended or is stopped.")
    path, to_fix = make_results(current_context(), run)
    wanted = path if what == "results" else to_fix
    if wanted is None:
        abort(404)
    _record(f"downloaded {what}", run_id)
    return send_download(wanted, name_download(name_file(run), what))


@pages.get("/runs/<run_id>/undo.xlsx")
def undo(run_id: str) -> Response:
    """Return the sheet that restores the previous values; it is uploaded like any other."""
    run = find_run(run_id)
    if not _has_undo(run):
        abort(404)
    path = make_undo_download(current_context(), run)
    if path is None:
        abort(404, "This run changed nothing that could be restored.")
    _record("downloaded undo", run_id)
    return send_download(path, name_download(name_file(run), "undo"))


def _has_undo(run: Run) -> bool:
    return run.options.snapshot and current_context().state_of(run) is not RunState.RUNNING


def find_run(run_id: str) -> Run:
    """Return the run if this user may see it; else answer 404."""
    context = current_context()
    run = context.find_run(run_id)
    if run is None or not may_see_run(context.settings, current_user(), run, context.uploads.find(run_id)):
        abort(404)
    return run


def _require_own_login(run: Run) -> None:
    if not may_continue(current_user(), run):
        abort(403, f"Only {run.username}, whose login started this run, can continue it.")


def _record(event: str, run_id: str) -> None:
    log.info("run %s: %s by its user", run_id, event)
    address = request.remote_addr or ""
    current_context().audit.record(event, user=current_user().identity, address=address, about=run_id)


def _find_retry(journal: Journal, parent: Run) -> Run | None:
    return next((run for run in journal.runs() if run.parent == parent.id and not run.options.undo), None)


def _warn_of_newer_runs(run: Run, statuses: Sequence[Status]) -> str:
    """Return what sending the rows with these statuses again would overwrite; empty for nothing."""
    newer = find_newer_runs(current_context().journal, run, statuses)
    return say_on_page(describe_newer_runs(run, newer)) if newer else ""


def _require_agreement(run: Run, statuses: Sequence[Status]) -> None:
    if (warning := _warn_of_newer_runs(run, statuses)) and "overwrite" not in request.form:
        abort(409, f"{warning} Tick the box on the page of the run to send them all the same.")


def _count_retried(counts: StatusCounts) -> int:
    return sum(counts[status] for status in RETRIED)
