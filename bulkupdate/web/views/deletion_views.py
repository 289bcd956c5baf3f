"""Deleting one's own data: a sheet that was not sent, or a run with everything that is kept of it."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.errors import UsageError
from bulkupdate.runs.retention import delete_run
from bulkupdate.web.page_context import current_context
from bulkupdate.web.run_access import find_ended_run, record_event, require_own_login
from bulkupdate.web.sheet_checks import has_begun
from bulkupdate.web.views.upload_views import find_own_upload

pages = Blueprint("deletions", __name__)


@pages.post("/sheets/<upload_id>/remove")
def remove_sheet(upload_id: str) -> Response:
    """Delete a sheet that has not been sent."""
    stored = find_own_upload(upload_id, "delete it")
    context = current_context()
    with context.one_at_a_time(stored.id):
        if not has_begun(stored):
            context.searches.stop(stored.id)
            context.uploads.remove(stored.id)
    return redirect(url_for("uploads.home"), 303)


@pages.post("/runs/<run_id>/delete")
def remove_run(run_id: str) -> Response:
    """Delete a run that has ended: from the journal, with its upload, reports and results."""
    context = current_context()
    with context.one_at_a_time(run_id):
        run = find_ended_run(run_id)
        require_own_login(run)
        if "agreed" not in request.form:
            abort(400, "Tick the box that says that the run is to be deleted. Nothing was deleted.")
        try:
            delete_run(context.journal, context.settings.state_dir, run)
        except UsageError as refused:
            whose = "Delete that one first; if it is another user's, ask your administrator. Nothing was deleted."
            abort(409, f"{refused} {whose}")
        context.uploads.remove(run_id)
        record_event("deleted", run_id)
    return redirect(url_for("history.show"), 303)
