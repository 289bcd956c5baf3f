"""Uploading a sheet: the start page, the upload itself, and how the file is read."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import IO

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.clock import Clock
from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.headings import find_field
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.remote.address import parse_address
from bulkupdate.runs.kept_files import fetch_input
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.spreadsheets.reading.sheet import NumberChoice
from bulkupdate.spreadsheets.reading.text_encoding import LIKELY_ENCODINGS
from bulkupdate.web.downloads import send_template
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.permissions import may_see_run, may_see_upload, owns_upload
from bulkupdate.web.sheet_checks import check_again, check_briefly, has_begun, revise
from bulkupdate.web.uploads.filenames import clean_name, require_sheet_name
from bulkupdate.web.uploads.found_customers import delete_found
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.history_views import find_entries

pages = Blueprint("uploads", __name__)
log = logging.getLogger("bulkupdate.web")

MAX_UPLOADS_A_DAY = 200
STORED_UPLOADS = 20
"""A user may store this many times the limit of one upload."""

FORM_BYTES = 4096
"""The part of the limit that is reserved for the form around a file."""

RECENT_ENTRIES = 5
_MAX_SHEET_NAME = 200
_MAX_ADDRESS = 2_000
_FETCH_TIMEOUT = 10.0
"""The most seconds without an answer: a thread of the server waits for it."""


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
    file, again, address = request.files.get("sheet"), request.form.get("again", ""), _read_address()
    is_file = file is not None and bool(file.filename)
    if not again and is_file == bool(address):
        return _show_home(
            "Choose a file, or name an address, but not both." if is_file else "Choose a file first."
        ), 400
    try:
        if again:
            stored = _find_again(again)
        else:
            stored = _store(file.filename or "", file.stream) if file and is_file else _fetch(address)
        stored = _set_key(stored)
    except (InputFileError, UsageError) as error:
        return _show_home(f"{error} {error.remedy or ''}"), 400
    check_briefly(stored)
    log.info("sheet %s: uploaded", stored.id)
    user = current_user()
    current_context().audit.record("uploaded", user=user.identity, address=request.remote_addr or "", about=stored.id)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


def _read_address() -> str:
    return request.form.get("address", "").strip()[:_MAX_ADDRESS]


def _fetch(typed: str) -> Upload:
    """Download a sheet of the web, from a host that users of the page may reach, and store it."""
    require_allowance()
    settings, address = current_context().settings, parse_address(typed)
    limits = replace(settings, max_unpacked_bytes=settings.upload_bytes, timeout=min(settings.timeout, _FETCH_TIMEOUT))
    hosts = [host.strip() for host in settings.fetch_hosts.split(",") if host.strip()]
    kept = fetch_input(address, None, limits, Clock().now(), hosts)
    try:
        with kept.open("rb") as stream:
            return _store(f"{address.name.stem or address.host}{kept.suffix}", stream)
    finally:
        kept.unlink()


def _store(file_name: str, content: IO[bytes]) -> Upload:
    require_allowance()
    name = clean_name(file_name)
    ending = require_sheet_name(name)
    options = SheetOptions(
        sheet=request.form.get("sheet_name", "").strip()[:_MAX_SHEET_NAME] or None,
        decimal_mark="," if request.form.get("decimal_mark") == "," else None,
        ignore_unknown="ignore_unknown" in request.form,
        encoding=_read_encoding(),
        numbers=_read_numbers(),
    )
    user = current_user()
    return current_context().uploads.add(content, user.identity, user.host, name, ending, options)


def _find_again(upload_id: str) -> Upload:
    """Return an upload that is to be checked again with another key."""
    stored = find_own_upload(upload_id, "change how it is read")
    if has_begun(stored):
        abort(409, "This sheet has been sent, so how it is read can no longer be changed.")
    return stored


def _set_key(stored: Upload) -> Upload:
    """Store the column that the customers are found by and the lookup sheet, as chosen in the form."""
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
    delete_found(stored.folder)
    return revise(changed)


def require_allowance() -> None:
    """Answer 429 if the user has uploaded too much."""
    context = current_context()
    usage = context.uploads.measure(current_user().user_key)
    if usage.recent_files >= MAX_UPLOADS_A_DAY:
        abort(
            429, f"You have uploaded {usage.recent_files} sheets in 24 hours, which is the limit. Try again tomorrow."
        )
    days = context.settings.upload_days
    if usage.stored_bytes >= STORED_UPLOADS * context.settings.upload_bytes:
        abort(
            429,
            "Your sheets take up all the space that a user may have on this server. Delete sheets that were not sent, "
            f"or wait: sheets are deleted after {days:g} {'day' if days == 1 else 'days'}.",
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
    stored = find_own_upload(upload_id, "change how it is read")
    encoding, numbers = _read_encoding(), _read_numbers()
    check_again(
        stored,
        lambda upload: replace(upload, encoding=encoding or upload.encoding, numbers=numbers or upload.numbers),
    )
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


def find_upload(upload_id: str) -> Upload:
    """Return the upload if this user may see it; else answer 404."""
    context, user = current_context(), current_user()
    stored = find_startable(upload_id)
    run = context.find_run(upload_id)
    if run is not None and not may_see_run(context.settings, user, run, stored):
        abort(404)
    return stored


def find_own_upload(upload_id: str, action: str) -> Upload:
    """Return the upload if it is this user's; else answer 403, naming the `action`, or 404 if it may not be seen."""
    stored = find_upload(upload_id)
    if not owns_upload(current_user(), stored):
        abort(403, f"Only the user who uploaded a sheet can {action}.")
    return stored


def find_startable(upload_id: str) -> Upload:
    """Return the upload if this user may see it, or could until another user started it; else answer 404."""
    context = current_context()
    stored = context.uploads.find(upload_id)
    if stored is None or not may_see_upload(context.settings, current_user(), stored):
        abort(404)
    return stored


def _show_home(error: str | None) -> str:
    return render_template(
        "home.html",
        error=error,
        entries=find_entries(current_context(), current_user(), RECENT_ENTRIES).entries,
        max_bytes=max(1, current_context().settings.upload_bytes - FORM_BYTES),
        encodings=LIKELY_ENCODINGS,
    )
