"""Who may see and do what: pure functions of the settings, the session, and the sheet or run."""

from __future__ import annotations

from bulkupdate.runs.journal.run_table import RunHead
from bulkupdate.runs.run_records import Run
from bulkupdate.settings import Settings
from bulkupdate.text import fold_name
from bulkupdate.web.accounts.sessions import Session
from bulkupdate.web.uploads.upload_store import Upload


def needs_approval(settings: Settings) -> bool:
    """Return whether one user uploads a sheet and another one has to start it."""
    return settings.approval == "required"


def is_admin(settings: Settings, session: Session) -> bool:
    """Return whether this user sees everyone's sheets and runs."""
    return session.user_key in {fold_name(name) for name in settings.admins.split(",") if name.strip()}


def owns_upload(session: Session, upload: Upload) -> bool:
    """Return whether this user uploaded the sheet."""
    return fold_name(upload.owner) == session.user_key


def may_see_upload(settings: Settings, session: Session, upload: Upload) -> bool:
    """Return whether the sheet is shown: to its owner, to administrators, and to everyone who could approve it."""
    if upload.host != session.host:
        return False
    return owns_upload(session, upload) or is_admin(settings, session) or needs_approval(settings)


def may_start(settings: Settings, session: Session, upload: Upload) -> bool:
    """Return whether this user may start the run: the owner or, if approval is required, anyone else."""
    return owns_upload(session, upload) is not needs_approval(settings)


def may_see_run(settings: Settings, session: Session, run: Run | RunHead, upload: Upload | None) -> bool:
    """Return whether the run is shown: to the user who started it, to the uploader, and to administrators.

    `upload` is its sheet, None if that has been deleted.
    """
    if run.host != session.host:
        return False
    is_uploader = upload is not None and owns_upload(session, upload)
    return may_continue(session, run) or is_uploader or is_admin(settings, session)


def may_continue(session: Session, run: Run | RunHead) -> bool:
    """Return whether this user may resume or retry the run: only with the login that started it."""
    return fold_name(run.username) in (session.user_key, fold_name(session.username)) and run.host == session.host
