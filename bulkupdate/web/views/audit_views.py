"""The audit, for administrators."""

from __future__ import annotations

from flask import Blueprint, abort, render_template

from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.permissions import is_admin

pages = Blueprint("audit", __name__)

SHOWN_EVENTS = 500


@pages.get("/audit")
def show() -> str:
    """Return the last events; 404 to users who are not administrators."""
    context = current_context()
    if not is_admin(context.settings, current_user()):
        abort(404)
    return render_template("audit.html", events=context.audit.read(SHOWN_EVENTS), shown=SHOWN_EVENTS)
