"""The history: sheets that have not been sent, and runs, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from flask import Blueprint, render_template

from bulkupdate.customers.models import Status
from bulkupdate.runs.run_records import Run
from bulkupdate.web.check_store import read_outcome
from bulkupdate.web.page_context import PageContext, current_context, current_user
from bulkupdate.web.permissions import is_admin, may_see_run, may_see_upload
from bulkupdate.web.sessions import Session
from bulkupdate.web.upload_store import Upload

pages = Blueprint("history", __name__)

MAX_ENTRIES = 200


@dataclass(frozen=True)
class Entry:
    """One line of the history.

    `counts` are the rows by status, empty for a sheet that has not been sent; `uploader` is empty if the uploader also
    sent it.
    """

    id: str
    is_run: bool
    name: str
    at: str
    username: str
    uploader: str
    state: str
    counts: Mapping[Status, int]


@pages.get("/runs")
def show() -> str:
    """Return the history of this user; of all users for an administrator."""
    context, user = current_context(), current_user()
    entries = list_history(context, user, MAX_ENTRIES)
    return render_template("history.html", entries=entries, is_admin=is_admin(context.settings, user))


def name_file(run: Run) -> str:
    """Return the name of a run's file, without its folders."""
    return PurePath(run.file.replace("\\", "/")).name


def list_history(context: PageContext, session: Session, limit: int) -> list[Entry]:
    """Return the newest entries that this user may see."""
    settings = context.settings
    runs = context.journal.runs()
    sent = {run.id for run in runs}
    entries: list[Run | Upload] = [
        *(run for run in runs if may_see_run(settings, session, run, context.uploads.find(run.id))),
        *(
            upload
            for upload in context.uploads.all()
            if upload.id not in sent and may_see_upload(settings, session, upload)
        ),
    ]
    entries.sort(key=lambda entry: entry.id, reverse=True)
    return [
        _describe_upload(entry) if isinstance(entry, Upload) else _describe_run(context, entry)
        for entry in entries[:limit]
    ]


def _describe_run(context: PageContext, run: Run) -> Entry:
    upload = context.uploads.find(run.id)
    uploader = upload.owner if upload is not None and upload.owner != run.username else ""
    state, counts = context.state_of(run), context.journal.tally(run).counts
    return Entry(run.id, True, name_file(run), run.started, run.username, uploader, state.value, counts)


def _describe_upload(upload: Upload) -> Entry:
    outcome = read_outcome(upload.folder)
    state = "being checked" if outcome is None else "rejected" if outcome.is_refused else "not sent"
    return Entry(upload.id, False, upload.name, upload.at, upload.owner, "", state, {})
