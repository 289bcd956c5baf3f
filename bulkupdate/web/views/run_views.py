"""The page of a run: progress, stop, resume and retry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.customers.models import Status
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.new_run import create_retry, new_run_id
from bulkupdate.runs.previous_runs import describe_newer_runs
from bulkupdate.runs.run_records import RETRIED, TO_FIX, UNCONFIRMED, Run, RunState, StatusCounts
from bulkupdate.runs.sending.canary import find_canary
from bulkupdate.runs.stop_requests import ask_to_stop
from bulkupdate.web.downloads import has_undo
from bulkupdate.web.jobs import Job
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.permissions import may_continue, may_see_run
from bulkupdate.web.run_access import find_run, record_event, require_own_login
from bulkupdate.web.run_progress import ProgressCache, RunProgress, find_progress
from bulkupdate.web.run_rows import list_reasons
from bulkupdate.web.undo_comparison import find_undo, is_outdated, is_waiting
from bulkupdate.web.uploads.reviews import read_review
from bulkupdate.web.uploads.upload_store import RESULTS
from bulkupdate.web.views.correction_list import show_corrections
from bulkupdate.web.views.history_views import name_file

pages = Blueprint("runs", __name__)

STOP_WAIT_SECONDS = 0.5
"""How long Stop waits, so that the next page may already show the run as stopped."""

_CACHE = "bulkupdate-progress"


@pages.get("/runs/<run_id>")
def show(run_id: str) -> str:
    """Return the page of a run."""
    context, run = current_context(), find_run(run_id)
    state = context.state_of(run)  # before the counts: a run that has ended has all of them
    counts, child = context.journal.tally(run), _find_retry(context.journal, run)
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
        has_undo=has_undo(context, run),
        undo_run=find_undo(context.journal, run) if run.options.snapshot else None,
        is_waiting_undo=is_waiting(run),
        is_outdated=is_outdated(run, context.clock.now()),
        to_send=counts[Status.NOT_ATTEMPTED],
        child=child,
        has_canary=state is RunState.STOPPED and bool(find_canary(run, context.journal, None)),
        may_continue=may_continue(current_user(), run),
        upload=(upload := context.uploads.find(run.id)),
        review=read_review(upload.folder) if upload is not None else None,
        corrections=context.journal.count_corrections(run),
        reasons=list_reasons(run, context.journal, context.journal.problems(run))
        if state is not RunState.RUNNING
        else [],
    )


@pages.get("/runs/<run_id>/corrections")
def corrections(run_id: str) -> str:
    """Return the list of the cells that were corrected before the run."""
    run = find_run(run_id)
    return show_corrections(current_context().journal.corrections(run), run=run, name=name_file(run))


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
    """Stop a run, whichever program on whichever host sends it: what is in flight is still recorded."""
    context, run = current_context(), find_run(run_id)
    job = context.jobs.find(run_id)
    if job is not None:
        job.stop.set()
        if job.thread is not None:
            job.thread.join(STOP_WAIT_SECONDS)
    elif context.state_of(run) is RunState.RUNNING:
        ask_to_stop(context.journal, run, current_user().identity)
    record_event("stopped", run_id)
    return redirect(url_for("runs.show", run_id=run_id), 303)


@pages.post("/runs/<run_id>/resume")
def resume(run_id: str) -> AnyResponse:
    """Send the rows of a stopped run that have not been confirmed; without its canary, if the user says so."""
    context = current_context()
    with context.one_at_a_time(run_id):
        run = find_run(run_id)
        require_own_login(run)
        if is_outdated(run, context.clock.now()):
            abort(409, "The customers were compared too long ago. Go back to the run and compare them again.")
        if context.state_of(run) is RunState.STOPPED:
            _require_agreement(run, UNCONFIRMED)
            if is_without_canary := "without_canary" in request.form:
                context.journal.set_options(run, replace(run.options, canary=0))
            context.jobs.launch(Job(run.id, current_user()))
            record_event("resumed without the canary" if is_without_canary else "resumed", run_id)
    return redirect(url_for("runs.show", run_id=run_id), 303)


@pages.post("/runs/<run_id>/retry")
def retry(run_id: str) -> AnyResponse:
    """Send the rows that did not go through again, in a new run; each run is retried once."""
    context = current_context()
    with context.one_at_a_time(run_id), context.open_run_context(current_user()) as run_context:
        parent = find_run(run_id)
        require_own_login(parent)
        child = _find_retry(run_context.journal, parent)
        is_finished = context.state_of(parent) is RunState.FINISHED
        if child is None and is_finished and _count_retried(run_context.journal.tally(parent)):
            _require_agreement(parent, RETRIED)
            new_id = new_run_id(run_context.clock.now())
            child = create_retry(run_context, parent, new_id, context.uploads.folder_of(new_id) / RESULTS)
            context.jobs.launch(Job(child.id, current_user()))
            record_event("retried", run_id)
    return redirect(url_for("runs.show", run_id=child.id if child else run_id), 303)


def _find_retry(journal: Journal, parent: Run) -> Run | None:
    return next((run for run in journal.child_runs(parent) if not run.options.undo), None)


def _warn_of_newer_runs(run: Run, statuses: Sequence[Status]) -> str:
    """Return what sending the rows with these statuses again would overwrite; empty for nothing."""
    newer = current_context().journal.find_newer_runs(run, statuses)
    return say_on_page(describe_newer_runs(run, newer)) if newer else ""


def _require_agreement(run: Run, statuses: Sequence[Status]) -> None:
    if (warning := _warn_of_newer_runs(run, statuses)) and "overwrite" not in request.form:
        abort(409, f"{warning} Tick the box on the page of the run to send them anyway.")


def _count_retried(counts: StatusCounts) -> int:
    return sum(counts[status] for status in RETRIED)
