"""A checked sheet: its problems, the plan, and the live preview."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.spreadsheets.writing.annotated_copy import annotation_blocker
from bulkupdate.web.downloads import name_download, send_download
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.permissions import may_start, needs_approval, owns_upload
from bulkupdate.web.plan import digest_plan, make_plan
from bulkupdate.web.run_access import record_event
from bulkupdate.web.sheet_checks import submit_task
from bulkupdate.web.uploads.check_outcome import CheckOutcome, read_outcome
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.check_worker import MAX_SECONDS, list_reports
from bulkupdate.web.uploads.encoding_samples import sample_encodings
from bulkupdate.web.uploads.found_customers import read_wanted
from bulkupdate.web.uploads.layout_store import read_layouts
from bulkupdate.web.uploads.live_changes import read_summary
from bulkupdate.web.uploads.reviews import read_review
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.mapping_views import show_mapping
from bulkupdate.web.views.policy_views import list_policies
from bulkupdate.web.views.problem_section import describe_problems
from bulkupdate.web.views.search_views import show_search
from bulkupdate.web.views.start_views import explain_failed_start, show_preparing
from bulkupdate.web.views.upload_views import find_upload

pages = Blueprint("checks", __name__)

MAX_ROWS = 50
"""How many ambiguous rows are shown at once."""


@pages.get("/sheets/<upload_id>")
def show(upload_id: str) -> str | AnyResponse:
    """Return the result of the check, and the plan."""
    stored, context = find_upload(upload_id), current_context()
    job, is_searching = context.jobs.find(stored.id), context.searches.is_running(stored.id)  # before what they write
    if context.find_run(stored.id) is not None:
        return redirect(url_for("runs.show", run_id=stored.id), 303)
    outcome = read_outcome(stored)
    if outcome is None:
        submit_task(stored, is_report=False)
        return render_template("checking.html", upload=stored)
    if job is not None:
        return show_preparing(stored, outcome, job)
    if outcome.search_keys:
        return show_search(stored, outcome, is_running=is_searching)
    if outcome.is_refused:
        return _show_refused(stored, outcome)
    return _show_checked(stored, outcome)


def _show_refused(stored: Upload, outcome: CheckOutcome) -> str:
    reading = _describe_reading(stored, outcome)
    key_name = stored.key or read_wanted(stored.folder)[0]
    if reading["has_columns"] and not key_name:
        return show_mapping(stored, outcome)
    return render_template("refused.html", key_name=key_name, **reading)


def _show_checked(stored: Upload, outcome: CheckOutcome) -> str:
    context, user = current_context(), current_user()
    return render_template(
        "sheet.html",
        why_no_copy=annotation_blocker(stored.path, outcome.rows),
        has_rounded=any(group.code == "rounded-display" for group in outcome.groups),
        may_start=may_start(context.settings, user, stored),
        ambiguous=StoredCheck(stored.path, stored.name, outcome).list_ambiguous(MAX_ROWS) if outcome.ambiguous else [],
        compared=read_summary(stored),
        plan=make_plan(stored, outcome),
        plan_digest=digest_plan(context.settings, stored, outcome),
        schedule=context.schedules.describe(stored.id),
        review=read_review(stored.folder) if needs_approval(context.settings) else None,
        failed_start=explain_failed_start(stored),
        policies=list_policies(outcome) if owns_upload(user, stored) else [],
        **_describe_reading(stored, outcome),
        **describe_problems(stored, outcome),
    )


def _describe_reading(stored: Upload, outcome: CheckOutcome) -> dict[str, object]:
    """Return how the sheet was read, and whether this user may have it read in another way."""
    is_own = owns_upload(current_user(), stored)
    return {
        "upload": stored, "outcome": outcome, "samples": sample_encodings(stored, outcome), "is_own": is_own,
        "has_columns": is_own and bool(read_layouts(stored.folder)),
    }  # fmt: skip


@pages.get("/sheets/<upload_id>/<any('report.xlsx', 'report.html', 'annotated.xlsx'):what>")
def report(upload_id: str, what: str) -> Response:
    """Return the check report as workbook or page, or the user's sheet with its bad cells marked.

    They are written on first use.
    """
    stored = find_upload(upload_id)
    workbook, page, annotated = list_reports(stored)
    if not (workbook.exists() and page.exists()):
        submit_task(stored, is_report=True).wait(MAX_SECONDS + 5)
    wanted, name = {
        "report.xlsx": (workbook, "check"), "report.html": (page, "check"), "annotated.xlsx": (annotated, "marked"),
    }[what]  # fmt: skip
    if not wanted.exists():
        abort(404)
    record_event(f"downloaded {what.partition('.')[0]}", stored.id)
    return send_download(wanted, name_download(stored.name, name, wanted.suffix))
