"""The history of one customer: what the runs that this user may see have changed."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from bulkupdate.runs.reporting.customer_history import find_history
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.permissions import may_see_run

pages = Blueprint("customers", __name__)

_MAX_ID = 50


@pages.get("/customers")
def show() -> str:
    """Return the changes of the customer asked for, newest first; without an id, only the form."""
    context, user = current_context(), current_user()
    customer_id = request.args.get("id", "").strip()[:_MAX_ID]
    found = find_history(context.journal, customer_id, user.host) if customer_id else []
    changes = [change for change in reversed(found) if _may_see(change.run_id)]
    return render_template("customer.html", customer_id=customer_id, changes=changes)


def _may_see(run_id: str) -> bool:
    context, run = current_context(), current_context().find_run(run_id)
    return run is not None and may_see_run(context.settings, current_user(), run, context.uploads.find(run_id))
