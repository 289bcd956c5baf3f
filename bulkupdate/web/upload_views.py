"""Uploading a sheet: the start page, the upload itself, how the file is read, and its deletion."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.headings import find_field
from bulkupdate.errors import InputFileError
from bulkupdate.runs.input_file import SheetOptions
from bulkupdate.spreadsheets.reading.sheet import NumberChoice
from bulkupdate.spreadsheets.reading.text_encoding import LIKELY_ENCODINGS
from bulkupdate.web.check_outcome import delete_outcome
from bulkupdate.web.check_worker import CheckTask, limit_settings
from bulkupdate.web.downloads import send_template
from bulkupdate.web.filenames import clean_name, require_sheet_name
from bulkupdate.web.found_customers import forget_found
from bulkupdate.web.history_views import find_entries
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.permissions import may_see_run, may_see_upload, owns_upload
from bulkupdate.web.sessions import fold_name
from bulkupdate.web.upload_store import Upload

pages = Blueprint("uploads", __name__)
log = logging.getLogger("bulkupdate.web")

CHECK_WAIT_SECONDS = 2.5
"""How long an upload waits for its check; after that, a page that refreshes itself is shown."""

MAX_UPLOADS_A_DAY = 200
STORED_UPLOADS = 20
"""A user may store this many times the limit of one upload."""

FORM_BYTES = 4096
"""What the form around a file takes of the limit, at most."""

RECENT_ENTRIES = 5
_MAX_SHEET_NAME = 200


@pages.get("/")
def home() -> str:
    """Return the start page, where a sheet is uploaded."""
    return _show_home(None)


@pages.get("/template<any('.xlsx', '.csv'):ending>")
def template(ending: str) -> Response:
    """Return the blank template."""
    return send_template(ending)


@pages.post("/sheets")
def upload() -> AnyResponse | tuple[str, int]:
    """Store a file and check it; or check one `again`, with another key."""
    file, again = request.files.get("sheet"), request.form.get("again", "")
    if not again and (file is None or not file.filename):
        return _show_home("Choose a file first."), 400
    try:
        stored = _find_again(again) if again or file is None else _store(file)
        stored = _set_key(stored)
    except InputFileError as error:
        return _show_home(f"{error} {error.remedy or ''}"), 400
    submit_task(stored, is_report=False).wait(CHECK_WAIT_SECONDS)
    log.info("sheet %s: uploaded", stored.id)
    user = current_user()
    current_context().audit.record("uploaded", user=user.identity, address=request.remote_addr or "", about=stored.id)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


def _store(file: FileStorage) -> Upload:
    _require_allowance()
    name = clean_name(file.filename or "")
    ending = require_sheet_name(name)
    options = SheetOptions(
        sheet=request.form.get("sheet_name", "").strip()[:_MAX_SHEET_NAME] or None,
        decimal_mark="," if request.form.get("decimal_mark") == "," else ".",
        ignore_unknown="ignore_unknown" in request.form,
        encoding=_read_encoding(),
        numbers=_read_numbers(),
    )
    user = current_user()
    return current_context().uploads.add(file.stream, user.identity, user.host, name, ending, options)


def _find_again(upload_id: str) -> Upload:
    """Return an upload that is to be checked again with another key."""
    stored = find_upload(upload_id)
    if not owns_upload(current_user(), stored) or has_run(stored):
        abort(403, "Only the user who uploaded a sheet can change how it is read, and only before it is sent.")
    return stored


def _set_key(stored: Upload) -> Upload:
    """Keep the column that the customers are found by and the lookup sheet, as chosen in the form."""
    uploads, lookup = current_context().uploads, request.files.get("lookup")
    key = request.form.get("key", "").strip()[:_MAX_SHEET_NAME]
    key = "" if find_field(key, current_context().settings.heading_map) is CUSTOMER_ID else key
    if key == stored.key and not (lookup and lookup.filename):
        return stored
    name = clean_name(lookup.filename) if key and lookup and lookup.filename else ""
    changed = replace(stored, key=key, lookup=name, settled={})
    if lookup and name:
        require_sheet_name(name)
        uploads.save_lookup(changed, lookup.stream)
    uploads.save(changed)
    forget_found(stored.folder)
    delete_outcome(stored.folder)
    return changed


def _require_allowance() -> None:
    """Answer 429 if the user has uploaded too much."""
    context = current_context()
    usage = context.uploads.measure(current_user().user_key)
    if usage.recent_files >= MAX_UPLOADS_A_DAY:
        abort(
            429, f"You have uploaded {usage.recent_files} sheets in 24 hours, which is the limit. Try again tomorrow."
        )
    if usage.stored_bytes >= STORED_UPLOADS * context.settings.upload_bytes:
        abort(
            429,
            "Your sheets take up all the space that a user may have on this server. Delete sheets that were not sent, "
            f"or wait: sheets are deleted after {context.settings.upload_days:g} days.",
        )


def _read_encoding() -> str | None:
    """Return the encoding chosen in the form; None if the program is to detect it."""
    chosen = request.form.get("encoding", "")
    return chosen if chosen in LIKELY_ENCODINGS or chosen == "utf-8" else None


def _read_numbers() -> NumberChoice | None:
    """Return what to send for rounded numbers, as chosen in the form; None to refuse them."""
    choices: dict[str, NumberChoice] = {"displayed": "displayed", "stored": "stored"}
    return choices.get(request.form.get("numbers", ""))


@pages.post("/sheets/<upload_id>/read-as")
def read_as(upload_id: str) -> AnyResponse:
    """Check a sheet again, with another encoding or another choice for rounded numbers."""
    stored = find_upload(upload_id)
    if not owns_upload(current_user(), stored):
        abort(403, "Only the user who uploaded a sheet can change how it is read.")
    context = current_context()
    with context.jobs.one_at_a_time(stored.id):
        if not has_run(stored):
            changed = replace(
                stored, encoding=_read_encoding() or stored.encoding, numbers=_read_numbers() or stored.numbers
            )
            context.uploads.save(changed)
            delete_outcome(stored.folder)
            submit_task(changed, is_report=False).wait(CHECK_WAIT_SECONDS)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


@pages.post("/sheets/<upload_id>/remove")
def remove(upload_id: str) -> AnyResponse:
    """Delete a sheet that has not been sent."""
    stored = find_upload(upload_id)
    if not owns_upload(current_user(), stored):
        abort(403, "Only the user who uploaded a sheet can delete it.")
    with current_context().jobs.one_at_a_time(stored.id):
        if not has_run(stored):
            current_context().searches.stop(stored.id)
            current_context().uploads.remove(stored.id)
    return redirect(url_for("uploads.home"), 303)


def find_upload(upload_id: str) -> Upload:
    """Return the upload if this user may see it; else answer 404."""
    context, user = current_context(), current_user()
    stored = find_startable(upload_id)
    run = context.find_run(upload_id)
    if run is not None and not may_see_run(context.settings, user, run, stored):
        abort(404)
    return stored


def find_startable(upload_id: str) -> Upload:
    """Return the upload if this user may see it, or could until another user started it; else answer 404."""
    context = current_context()
    stored = context.uploads.find(upload_id)
    if stored is None or not may_see_upload(context.settings, current_user(), stored):
        abort(404)
    return stored


def has_run(stored: Upload) -> bool:
    """Return whether the sheet has been sent, or is being sent."""
    return current_context().find_run(stored.id) is not None


def submit_task(stored: Upload, *, is_report: bool) -> threading.Event:
    """Queue the check of an upload, or its report; the event is set when it is done."""
    task = CheckTask(stored, limit_settings(current_context().settings), is_report)
    return current_context().checks.submit(fold_name(stored.owner), task)


def _show_home(error: str | None) -> str:
    return render_template(
        "home.html",
        error=error,
        entries=find_entries(current_context(), current_user(), RECENT_ENTRIES).entries,
        max_bytes=max(1, current_context().settings.upload_bytes - FORM_BYTES),
        encodings=LIKELY_ENCODINGS,
    )
