"""Asking for an approval, and refusing a sheet; approving it is starting it."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.clock import format_utc
from bulkupdate.text import pluralize
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.permissions import may_start, needs_approval, owns_upload
from bulkupdate.web.run_access import record_event
from bulkupdate.web.sheet_checks import has_begun
from bulkupdate.web.uploads.check_outcome import read_outcome
from bulkupdate.web.uploads.reviews import MAX_COMMENT, Review, read_review, save_review
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.upload_views import find_upload

pages = Blueprint("reviews", __name__)


@pages.post("/sheets/<upload_id>/review/ask")
def ask(upload_id: str) -> Response:
    """Ask the other users to start a sheet of one's own; a refusal before is thereby answered."""
    context, user, stored = current_context(), current_user(), find_upload(upload_id)
    if not owns_upload(user, stored) or not needs_approval(context.settings):
        abort(403, "Only the user who uploaded a sheet can ask for its approval.")
    outcome, comment = read_outcome(stored), read_comment()
    with context.one_at_a_time(stored.id):
        if outcome is not None and outcome.to_send and not has_begun(stored):
            save_review(stored.folder, Review(format_utc(context.clock.now()), comment))
            record_event("asked for approval", stored.id)
            customers = f"{pluralize(outcome.to_send, 'customer')} would be updated."
            said = [f"{user.identity} says: {comment}"] if comment else []
            lines = [f"{user.identity} asks for the approval of {stored.name}: {customers}", *said, "", _link(stored)]
            context.mailer.send(context.settings.mail_to, f"approval of {stored.name}", lines)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


@pages.post("/sheets/<upload_id>/review/refuse")
def refuse(upload_id: str) -> Response:
    """Refuse the sheet of another user, with a reason; it cannot be started until its user asks again."""
    context, user, stored = current_context(), current_user(), find_upload(upload_id)
    if not needs_approval(context.settings) or not may_start(context.settings, user, stored):
        abort(403, "Only a user who could start this sheet can refuse it.")
    reason = read_comment()
    if not reason:
        abort(400, "Say why, so that its user knows what to do. Nothing was refused.")
    with context.one_at_a_time(stored.id):
        if not has_begun(stored):
            context.schedules.cancel(stored.id)
            decided = read_review(stored.folder).decide(
                user.identity, format_utc(context.clock.now()), reason, is_refused=True
            )
            save_review(stored.folder, decided)
            record_event("refused", stored.id)
            lines = [f"{user.identity} has refused {stored.name}: {reason}", "", _link(stored)]
            context.mailer.send(context.mailer.address_of(stored.owner), f"{stored.name} was refused", lines)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


def read_comment() -> str:
    """Return the comment in the form."""
    return request.form.get("comment", "").strip()[:MAX_COMMENT]


def _link(stored: Upload) -> str:
    return f"The sheet: {url_for('checks.show', upload_id=stored.id, _external=True)}"
