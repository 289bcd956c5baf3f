"""What a person has done: sheets that wait, runs, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from bulkupdate.customers.models import Status
from bulkupdate.runs.run_records import Run
from bulkupdate.web.check_store import read_outcome
from bulkupdate.web.page_context import PageContext
from bulkupdate.web.sessions import Session
from bulkupdate.web.upload_store import Upload


@dataclass(frozen=True)
class Entry:
    """One line of the history.

    `state` is a word for people; `counts` are the rows by status, empty for a sheet that has not been sent; `uploader`
    is empty where it is the one who sent it.
    """

    id: str
    is_run: bool
    name: str
    at: str
    who: str
    uploader: str
    state: str
    counts: Mapping[Status, int]


def show_file(run: Run) -> str:
    """Return the name of a run's file, without its folders."""
    return PurePath(run.file.replace("\\", "/")).name


def list_history(site: PageContext, login: Session, most: int) -> list[Entry]:
    """Return the newest entries that this person may see."""
    runs = site.journal.runs()
    known = {run.id for run in runs}
    waiting = [each for each in site.uploads.all() if each.id not in known and site.may_see_upload(login, each)]
    seen = [run for run in runs if site.may_see_run(login, run)]
    both: list[Run | Upload] = sorted([*seen, *waiting], key=lambda each: each.id, reverse=True)
    return [_tell_upload(each) if isinstance(each, Upload) else _tell_run(site, each) for each in both[:most]]


def _tell_run(site: PageContext, run: Run) -> Entry:
    upload = site.uploads.find(run.id)
    uploader = upload.owner if upload is not None and upload.owner != run.username else ""
    state = site.state_of(run)
    return Entry(
        run.id, True, show_file(run), run.started, run.username, uploader, state.value, site.journal.tally(run).counts
    )


def _tell_upload(upload: Upload) -> Entry:
    outcome = read_outcome(upload.folder)
    state = "being checked" if outcome is None else "refused" if outcome.is_refused else "not sent"
    return Entry(upload.id, False, upload.name, upload.at, upload.owner, "", state, {})
