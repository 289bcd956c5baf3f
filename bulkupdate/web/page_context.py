"""The services that the pages share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from flask import current_app, g

from bulkupdate.clock import Clock
from bulkupdate.errors import UsageError
from bulkupdate.redaction import Secret
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.settings import Settings
from bulkupdate.store.audit_log import AuditLog
from bulkupdate.web.check_queue import CheckQueue
from bulkupdate.web.cookies import DeviceCookies
from bulkupdate.web.customer_searches import Searches
from bulkupdate.web.jobs import Jobs
from bulkupdate.web.login_throttle import LoginThrottle
from bulkupdate.web.sessions import Session, Sessions, fold_name
from bulkupdate.web.upload_store import Uploads

EXTENSION = "bulkupdate"


@dataclass(frozen=True)
class PageContext:
    """The services behind the pages of one server."""

    settings: Settings
    clock: Clock
    sessions: Sessions
    throttle: LoginThrottle
    devices: DeviceCookies
    audit: AuditLog
    uploads: Uploads
    checks: CheckQueue
    jobs: Jobs
    searches: Searches
    closing: threading.Event
    _of_thread: threading.local = field(default_factory=threading.local)

    @classmethod
    def build(cls, settings: Settings, clock: Clock) -> PageContext:
        """Return the services for these settings. A login in the settings is ignored: users bring their own."""
        settings = replace(settings, username="", password=Secret(""), password_file="")
        jobs = Jobs(settings, clock)
        context = cls(
            settings=settings,
            clock=clock,
            sessions=Sessions(clock, settings.session_minutes * 60),
            throttle=LoginThrottle(clock),
            devices=DeviceCookies(settings.state_dir),
            audit=AuditLog(settings.state_dir, clock),
            uploads=Uploads(settings.state_dir, clock),
            checks=CheckQueue(),
            jobs=jobs,
            searches=Searches(settings, clock, jobs),
            closing=threading.Event(),
        )
        context.jobs.on_refused = context.searches.on_refused = context.end_refused
        return context

    def end_refused(self, session: Session) -> None:
        """End all sessions with a password that the service has refused, and count that as a wrong attempt."""
        self.throttle.register_refusal(fold_name(session.username))
        self.sessions.end_refused(session)
        self.audit.record("password no longer accepted", user=session.identity)

    @property
    def journal(self) -> Journal:
        """The journal of the current thread, kept open because opening it checks every page of the file."""
        journal: Journal | None = getattr(self._of_thread, "journal", None)
        if journal is None:
            journal = self._of_thread.journal = Journal(self.settings.state_dir, self.clock)
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
        return effective_state(self.settings.state_dir, run)


def current_context() -> PageContext:
    """Return the services of the server that handles the current request."""
    return cast(PageContext, current_app.extensions[EXTENSION])


def current_user() -> Session:
    """Return the session of the current request; only for pages that require one."""
    return cast(Session, g.user_session)
