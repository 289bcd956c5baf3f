"""The services that the pages share."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from flask import current_app, g

from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, UsageError
from bulkupdate.redaction import Secret
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.settings import Settings
from bulkupdate.store.audit_log import AuditLog
from bulkupdate.store.shared_store import SharedStore
from bulkupdate.text import fold_name
from bulkupdate.web.accounts.cookies import DeviceCookies
from bulkupdate.web.accounts.login_throttle import LoginThrottle
from bulkupdate.web.accounts.sessions import Session, Sessions, SessionStore
from bulkupdate.web.accounts.shared_sessions import SharedSessions
from bulkupdate.web.customer_searches import Searches
from bulkupdate.web.jobs import Job, Jobs
from bulkupdate.web.mails import Mailer, find_wish, write_end
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.shared_folders import SharedFolders
from bulkupdate.web.uploads.check_queue import CheckQueue
from bulkupdate.web.uploads.schedules import Schedules
from bulkupdate.web.uploads.upload_store import Uploads

log = logging.getLogger("bulkupdate.web")

EXTENSION = "bulkupdate"

_BUTTON_SECONDS = 20.0
"""How long an action waits for the same one on another host."""


@dataclass(frozen=True)
class PageContext:
    """The services behind the pages of one server."""

    settings: Settings
    clock: Clock
    sessions: SessionStore
    folders: SharedFolders
    throttle: LoginThrottle
    devices: DeviceCookies
    audit: AuditLog
    uploads: Uploads
    checks: CheckQueue
    jobs: Jobs
    searches: Searches
    schedules: Schedules
    mailer: Mailer
    closing: threading.Event
    _of_thread: threading.local = field(default_factory=threading.local)

    @classmethod
    def build(cls, settings: Settings, clock: Clock) -> PageContext:
        """Return the services for these settings. A login in the settings is ignored: users bring their own."""
        settings = replace(settings, username="", password=Secret(""), password_file="")
        closing = threading.Event()
        store = SharedStore(settings.database) if settings.database else None
        idle_seconds = settings.session_minutes * 60
        sessions = SharedSessions(store, clock, idle_seconds) if store else Sessions(clock, idle_seconds)
        jobs, uploads = Jobs(settings, clock), Uploads(settings.state_dir, clock)
        context = cls(
            settings=settings,
            clock=clock,
            sessions=sessions,
            folders=SharedFolders(store, settings.state_dir),
            throttle=LoginThrottle(clock),
            devices=DeviceCookies(settings.state_dir, sessions if store else None),
            audit=AuditLog(settings.store, clock),
            uploads=uploads,
            checks=CheckQueue(),
            jobs=jobs,
            searches=Searches(settings, clock, jobs),
            schedules=Schedules(uploads, clock),
            mailer=Mailer(settings, clock, closing),
            closing=closing,
        )
        context.jobs.on_refused = context.searches.on_refused = context.end_refused
        context.jobs.on_ended = context.mail_end
        context.jobs.on_end = context.searches.on_found = context.folders.sync
        return context

    def end_refused(self, session: Session) -> None:
        """End all sessions with a password that the service has refused, and count that as a wrong attempt.

        If the database is unreachable they stay, and the next refusal ends them.
        """
        self.throttle.register_refusal(fold_name(session.username))
        try:
            self.sessions.end_refused(session)
            self.schedules.drop_logins(session)
            self.audit.record("password no longer accepted", user=session.identity)
        except BulkUpdateError as error:
            log.warning("the sessions of a refused password were not ended: %s", error)

    def mail_end(self, job: Job, error: BulkUpdateError | None) -> None:
        """Send the mail that was wished for when a run ends, or when it could not begin."""
        folder, upload = self.uploads.find_folder(job.run_id), self.uploads.find(job.run_id)
        wish = find_wish(folder) if folder is not None else None
        if wish is None or upload is None:
            return
        try:
            run, (to, link) = self.find_run(job.run_id), wish
            reason = say_on_page(str(error) if error is not None else "", self.settings.state_dir)
            if run is None:
                lines = [f"{upload.name} was not sent. {reason}", "", f"Its page: {link}"]
                self.mailer.send(to, f"{upload.name} was not sent", lines)
            else:
                self.mailer.send(to, *write_end(upload.name, run, self.journal.tally(run), reason, link))
        finally:
            self.drop_journal()  # this thread is about to end

    @property
    def journal(self) -> Journal:
        """The journal of the current thread, kept open because opening it checks every page of the file."""
        journal: Journal | None = getattr(self._of_thread, "journal", None)
        if journal is None:
            journal = self._of_thread.journal = Journal(self.settings.store, self.clock, is_patient=False)
        return journal

    def drop_journal(self) -> None:
        """Close the journal of the current thread after an error, so that no transaction of it stays open."""
        journal: Journal | None = getattr(self._of_thread, "journal", None)
        if journal is not None:
            del self._of_thread.journal
            journal.close()

    @contextmanager
    def open_run_context(self, session: Session) -> Iterator[RunContext]:
        """Open the journal and a client of this user, for one request."""
        with self.jobs.open_run_context(session, self.journal) as run_context:
            yield run_context

    @contextmanager
    def one_at_a_time(self, run_id: str) -> Iterator[None]:
        """Keep other requests, on any host, from creating or launching this run: a button pressed twice acts once."""
        with self.jobs.one_at_a_time(run_id), ExitStack() as stack:
            if self.settings.database:
                stack.enter_context(self.journal.home.hold_lock(f"page-{run_id}", _BUTTON_SECONDS))
                self.folders.pull()
            yield

    def find_run(self, run_id: str) -> Run | None:
        """Return the run with this id; None if there is none."""
        try:
            return self.journal.find_run(run_id)
        except UsageError:
            return None

    def state_of(self, run: Run) -> RunState:
        """Return the state of a run, which the journal alone does not know if the server was killed."""
        if self.jobs.find(run.id) is not None:
            return RunState.RUNNING
        return effective_state(self.journal, run)


def current_context() -> PageContext:
    """Return the services of the server that handles the current request."""
    return cast(PageContext, current_app.extensions[EXTENSION])


def current_user() -> Session:
    """Return the session of the current request; only for pages that require one."""
    return cast(Session, g.user_session)
