"""The run that a page is about: found for the user who may see it, and what is done with it recorded."""

from __future__ import annotations

import logging

from flask import abort, request

from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.permissions import may_continue, may_see_run

log = logging.getLogger("bulkupdate.web")


def find_run(run_id: str) -> Run:
    """Return the run if this user may see it; else answer 404."""
    context = current_context()
    run = context.find_run(run_id)
    if run is None or not may_see_run(context.settings, current_user(), run, context.uploads.find(run_id)):
        abort(404)
    return run


def find_ended_run(run_id: str) -> Run:
    """Return the run if this user may see it and it is not being sent; else answer 404 or 409."""
    run = find_run(run_id)
    if current_context().state_of(run) is RunState.RUNNING:
        abort(409, "The run is still running. Its results are available when it has ended or is stopped.")
    return run


def require_own_login(run: Run) -> None:
    """Answer 403 unless the run was started with the login of this user."""
    if not may_continue(current_user(), run):
        abort(403, f"Only {run.username}, whose login started this run, can do this.")


def record_event(event: str, run_id: str) -> None:
    """Record what the current user has done with a run or a sheet, in log and audit."""
    log.info("run %s: %s by its user", run_id, event)
    address = request.remote_addr or ""
    current_context().audit.record(event, user=current_user().identity, address=address, about=run_id)
