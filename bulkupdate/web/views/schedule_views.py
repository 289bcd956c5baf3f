"""Scheduling the start of a sheet, cancelling that, and starting what is due."""

from __future__ import annotations

import logging

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.errors import BulkUpdateError
from bulkupdate.web.accounts.sessions import Session
from bulkupdate.web.jobs import Job
from bulkupdate.web.page_context import PageContext, current_context, current_user
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.permissions import owns_upload
from bulkupdate.web.plan import digest_plan
from bulkupdate.web.run_access import record_event
from bulkupdate.web.sheet_checks import has_begun
from bulkupdate.web.uploads.check_outcome import read_outcome
from bulkupdate.web.uploads.schedules import Schedule, parse_local_time
from bulkupdate.web.uploads.start_order import StartOrder
from bulkupdate.web.views.start_views import agree, find_outcome, is_being_sent, launch_start, read_order
from bulkupdate.web.views.upload_views import find_upload

pages = Blueprint("schedules", __name__)
log = logging.getLogger("bulkupdate.web")


@pages.post("/sheets/<upload_id>/schedule")
def schedule(upload_id: str) -> Response:
    """Start the sheet at the time in the form, with the login of this user and the choices made now."""
    context, user, stored = current_context(), current_user(), find_upload(upload_id)
    outcome = find_outcome(stored)
    order = read_order(stored, outcome)
    try:
        at = parse_local_time(request.form.get("start_at", ""), context.clock.now())
    except ValueError as error:
        abort(400, f"{error} Nothing was scheduled.")
    with context.one_at_a_time(stored.id):
        if not has_begun(stored):
            agree(stored)
            plan = digest_plan(context.settings, stored, outcome)
            context.schedules.set(Schedule(stored.id, at, user.identity, user.host, plan, order.to_json()), user)
            record_event("scheduled", stored.id)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


@pages.post("/sheets/<upload_id>/schedule/cancel")
def cancel(upload_id: str) -> Response:
    """Forget the start; the sheet stays."""
    context, user, stored = current_context(), current_user(), find_upload(upload_id)
    with context.one_at_a_time(stored.id):
        scheduled = context.schedules.find(stored.id)
        if scheduled is not None:
            if not scheduled.is_of(user) and not owns_upload(user, stored):
                abort(403, "Only the user who scheduled it, or uploaded the sheet, can cancel it.")
            context.schedules.cancel(stored.id)
            record_event("cancelled the schedule", stored.id)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


def start_due(context: PageContext) -> None:
    """Start the sheets whose time has come; why one is not started is kept for its user."""
    for scheduled, session in context.schedules.take_due():
        try:
            with context.one_at_a_time(scheduled.upload_id):
                reason = _start(context, scheduled, session)
        except BulkUpdateError as error:
            reason = say_on_page(str(error), context.settings.state_dir) or "The server could not begin it."
        if reason:
            context.schedules.fail(scheduled, reason)
            context.mail_end(Job(scheduled.upload_id, session), BulkUpdateError(reason))
        log.info("run %s: %s", scheduled.upload_id, "not started" if reason else "started as scheduled")


def _start(context: PageContext, scheduled: Schedule, session: Session) -> str:
    """Start one sheet; return why that is not possible, empty if it has been started."""
    stored = context.uploads.find(scheduled.upload_id)
    if stored is None or context.find_run(stored.id) is not None:
        context.schedules.cancel(scheduled.upload_id)
        return ""
    outcome = read_outcome(stored)
    if outcome is None or digest_plan(context.settings, stored, outcome) != scheduled.plan:
        return "The sheet was checked again after it had been scheduled."
    if is_being_sent(context, stored, outcome):
        return "The same file was being sent by another run."
    try:
        order = StartOrder.from_json(scheduled.order)
    except (KeyError, TypeError, ValueError):
        return "It was scheduled with another version of the program."
    launch_start(context, session, stored, outcome, order)
    context.audit.record("started as scheduled", user=session.identity, about=stored.id)
    return ""
