"""Before and after: every customer of a sheet as it is now, compared with the sheet; with the cost said first."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.web.jobs import Job
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.paging import Paging, read_page_number
from bulkupdate.web.plan import estimate_reads
from bulkupdate.web.run_access import record_event
from bulkupdate.web.sheet_checks import has_begun
from bulkupdate.web.uploads.check_outcome import CheckOutcome, read_outcome
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.live_changes import compare_live, list_problems, page_changes, read_summary
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.upload_views import find_upload
from bulkupdate.web.waiting import describe_wait, explain_failure, stop_reading, wait_briefly

pages = Blueprint("changes", __name__)

SHOWN_PROBLEMS = 50
_STOPPED = "It was stopped before all customers were compared."


@pages.get("/sheets/<upload_id>/changes")
def show(upload_id: str) -> str | Response:
    """Return what would change, in pages; or what comparing costs, or how far it is."""
    stored = find_upload(upload_id)
    outcome, job = _find_outcome(stored), current_context().jobs.find(_key(stored))
    if outcome is None:
        return redirect(url_for("checks.show", upload_id=stored.id), 303)
    summary = read_summary(stored) if job is None else None
    chosen, page = request.args.get("field", ""), read_page_number()
    total = 0 if summary is None else summary.fields.get(chosen, 0) if chosen else sum(summary.fields.values())
    return render_template(
        "changes.html",
        upload=stored,
        outcome=outcome,
        job=job,
        plan=estimate_reads(outcome.fetch_requests) if job is None else None,
        summary=summary,
        changes=page_changes(stored.folder, chosen, page) if summary else [],
        problems=list_problems(stored.folder, SHOWN_PROBLEMS) if summary else [],
        chosen=chosen,
        at=Paging(page, total),
        waiting=describe_wait(job),
        error=explain_failure(_key(stored), _STOPPED) if job is None and summary is None else "",
    )


@pages.post("/sheets/<upload_id>/changes")
def compare(upload_id: str) -> Response:
    """Fetch every customer of the sheet with the login of this user, and compare."""
    stored = find_upload(upload_id)
    outcome = _find_outcome(stored) or abort(409, "The sheet is being checked, or has been sent.")
    check = StoredCheck(stored.path, stored.name, outcome)

    def prepare(run_context: RunContext, watch: WatchReading) -> None:
        run_context.client.sign_in()
        compare_live(stored, check, run_context, watch)

    job = current_context().jobs.launch(Job(_key(stored), current_user(), 0, prepare, outcome.to_send))
    record_event("compared with the live customers", stored.id)
    wait_briefly(job)
    return redirect(url_for("changes.show", upload_id=stored.id), 303)


@pages.post("/sheets/<upload_id>/changes/stop")
def stop(upload_id: str) -> Response:
    """Stop comparing."""
    stored = find_upload(upload_id)
    stop_reading(current_context().jobs.find(_key(stored)))
    return redirect(url_for("changes.show", upload_id=stored.id), 303)


def _find_outcome(stored: Upload) -> CheckOutcome | None:
    """Return the check of a sheet with rows to send; None if there is none, or the sheet has been sent."""
    outcome = read_outcome(stored)
    return None if outcome is None or not outcome.to_send or has_begun(stored) else outcome


def _key(stored: Upload) -> str:
    """Return the name of the job that compares; the run of the sheet has another one."""
    return f"{stored.id}-changes"
