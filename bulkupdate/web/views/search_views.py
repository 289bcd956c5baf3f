"""Customers found by another key than their id: the search with its cost, and rows with several candidates."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.clock import format_local_time
from bulkupdate.errors import BulkUpdateError, InterruptedRunError
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.permissions import owns_upload
from bulkupdate.web.plan import estimate_reads
from bulkupdate.web.sheet_checks import check_again
from bulkupdate.web.uploads.check_outcome import CheckOutcome, read_outcome
from bulkupdate.web.uploads.found_customers import read_wanted
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.upload_views import find_own_upload

pages = Blueprint("searches", __name__)

_STOPPED = "The search was stopped. What it found is kept: searching again asks only for the rest."


def show_search(stored: Upload, outcome: CheckOutcome, *, is_running: bool) -> str:
    """Return the page of a sheet whose customers have to be searched: the cost or the progress of the search.

    `is_running`: the search was when the outcome was read, so that it may be over what the outcome says.
    """
    context = current_context()
    search, now = context.searches.find(stored.id), context.clock.now()
    needed = search.needed if search is not None and search.needed else outcome.search_keys
    error = search.error if search is not None and not is_running else None
    waiting = search.waiting if search is not None and is_running else None
    return render_template(
        "search.html",
        upload=stored,
        outcome=outcome,
        key_name=read_wanted(stored.folder)[0],
        search=search,
        is_running=is_running,
        costs_more=search is not None and not is_running and search.needed > search.agreed,
        needed=needed,
        plan=None if is_running else estimate_reads(needed),
        waiting=format_local_time(waiting.until, now) if waiting else "",
        error="" if error is None else _explain_error(error),
        is_own=owns_upload(current_user(), stored),
    )


def _explain_error(error: BulkUpdateError) -> str:
    if isinstance(error, InterruptedRunError):
        return _STOPPED
    return say_on_page(f"{error} {error.remedy or ''}", current_context().settings.state_dir)


@pages.post("/sheets/<upload_id>/search")
def search(upload_id: str) -> Response:
    """Begin the search, with as many requests as the user has agreed to."""
    stored, context = _find_own(upload_id), current_context()
    outcome, agreed = read_outcome(stored), request.form.get("agreed", "")
    if outcome is None or not outcome.search_keys or not (agreed.isascii() and agreed.isdigit()):
        return redirect(url_for("checks.show", upload_id=stored.id), 303)
    with context.one_at_a_time(stored.id):
        running = context.searches.find(stored.id)
        is_here = running is not None and running.is_alive
        if not is_here and not context.searches.launch(stored, current_user(), int(agreed)):
            abort(409, "Another search of yours is running. Wait until it has ended, or stop it.")
    user, address = current_user().identity, request.remote_addr or ""
    context.audit.record("searched for customers", user=user, address=address, about=stored.id)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


@pages.post("/sheets/<upload_id>/search/stop")
def stop(upload_id: str) -> Response:
    """Stop the search: what it has found is kept."""
    current_context().searches.stop(_find_own(upload_id).id)
    return redirect(url_for("checks.show", upload_id=upload_id), 303)


@pages.post("/sheets/<upload_id>/settle")
def settle(upload_id: str) -> Response:
    """Store the customer that the user chose for an ambiguous row, as `row:id`; an empty choice deletes all choices."""
    stored = _find_own(upload_id)
    row, _, customer_id = request.form.get("choice", "").partition(":")
    if not row or (row.isascii() and row.isdigit()):
        check_again(
            stored,
            lambda upload: replace(upload, settled={**upload.settled, row: customer_id} if row else {}),
        )
    return redirect(url_for("checks.show", upload_id=stored.id, _anchor="candidates"), 303)


def _find_own(upload_id: str) -> Upload:
    return find_own_upload(upload_id, "search for its customers")
