"""The history: sheets that have not been sent, and runs, newest first; paged, and searched by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from flask import Blueprint, render_template, request

from bulkupdate.customers.models import Status
from bulkupdate.runs.journal.run_table import RunHead
from bulkupdate.runs.run_records import Run
from bulkupdate.text import fold_name
from bulkupdate.web.accounts.sessions import Session
from bulkupdate.web.page_context import PageContext, current_context, current_user
from bulkupdate.web.paging import Paging, count_skipped, read_page_number
from bulkupdate.web.permissions import is_admin, may_see_run, may_see_upload
from bulkupdate.web.run_progress import name_state
from bulkupdate.web.undo_comparison import is_waiting
from bulkupdate.web.uploads.check_outcome import read_outcome
from bulkupdate.web.uploads.reviews import read_review
from bulkupdate.web.uploads.upload_store import Upload

pages = Blueprint("history", __name__)

PAGE_ENTRIES = 50
_MAX_SEARCH = 100


@dataclass(frozen=True)
class Entry:
    """One line of the history.

    `counts` are the rows by status, empty for a sheet that has not been sent; `uploader` is empty if the uploader also
    sent it. `machine` is the one that sent the run, or where the sheet was uploaded.
    """

    id: str
    is_run: bool
    name: str
    at: str
    username: str
    uploader: str
    state: str
    counts: Mapping[Status, int]
    machine: str

    @property
    def label(self) -> str:
        """The state, with the rows of a finished run that did not go through."""
        return name_state(self.state, {status.value: count for status, count in self.counts.items()})

    @property
    def has_failures(self) -> bool:
        """Whether some rows of a run did not go through."""
        return any(count for status, count in self.counts.items() if status not in (Status.UPDATED, Status.UNCHANGED))


@dataclass(frozen=True)
class HistoryPage:
    """Some entries, of `total` that match."""

    entries: list[Entry]
    total: int


@pages.get("/runs")
def show() -> str:
    """Return the history of this user; of all users for an administrator."""
    context, user = current_context(), current_user()
    number, search = read_page_number(), request.args.get("q", "").strip()[:_MAX_SEARCH]
    found = find_entries(context, user, PAGE_ENTRIES, count_skipped(number, PAGE_ENTRIES), search)
    return render_template(
        "history.html",
        entries=found.entries,
        search=search,
        at=Paging(number, found.total, PAGE_ENTRIES),
        is_admin=is_admin(context.settings, user),
    )


def name_file(run: Run | RunHead) -> str:
    """Return the name of a run's file, without its folders."""
    return PurePath(run.file.replace("\\", "/")).name


def find_entries(context: PageContext, session: Session, limit: int, skip: int = 0, search: str = "") -> HistoryPage:
    """Return entries that this user may see, newest first; `search` is part of a name of a file or of a user."""
    settings = context.settings
    heads = context.journal.run_heads()
    sent = {head.id for head in heads}
    entries: list[RunHead | Upload] = [
        *(head for head in heads if may_see_run(settings, session, head, context.uploads.find(head.id))),
        *(
            upload
            for upload in context.uploads.all()
            if upload.id not in sent and may_see_upload(settings, session, upload)
        ),
    ]
    found = [entry for entry in entries if not search or fold_name(search) in _searched_text(entry)]
    found.sort(key=lambda entry: entry.id, reverse=True)
    described = (_describe_entry(context, entry) for entry in found[skip : skip + limit])
    return HistoryPage([entry for entry in described if entry is not None], len(found))


def _searched_text(entry: RunHead | Upload) -> str:
    if isinstance(entry, Upload):
        return fold_name(f"{entry.name} {entry.owner}")
    return fold_name(f"{name_file(entry)} {entry.username}")


def _describe_entry(context: PageContext, entry: RunHead | Upload) -> Entry | None:
    if isinstance(entry, Upload):
        return _describe_upload(context, entry)
    run = context.find_run(entry.id)
    return None if run is None else _describe_run(context, run)  # None: purged at this moment


def _describe_run(context: PageContext, run: Run) -> Entry:
    upload = context.uploads.find(run.id)
    uploader = upload.owner if upload is not None and upload.owner != run.username else ""
    state, counts = context.state_of(run).value, context.journal.tally(run).counts
    state = "not sent" if is_waiting(run) else state
    return Entry(run.id, True, name_file(run), run.started, run.username, uploader, state, counts, run.machine)


def _describe_upload(context: PageContext, upload: Upload) -> Entry:
    outcome = read_outcome(upload)
    state = "being checked" if outcome is None else "rejected" if outcome.is_refused else "not sent"
    if (shown := context.schedules.describe(upload.id)) is not None and not shown.is_missed:
        state = "scheduled"
    elif read_review(upload.folder).is_refused:
        state = "refused"
    return Entry(upload.id, False, upload.name, upload.at, upload.owner, "", state, {}, upload.machine)
