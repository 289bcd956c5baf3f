"""The services that the pages share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from flask import current_app, g

from bulkupdate.clock import Clock
from bulkupdate.crash_report import purge_crash_reports
from bulkupdate.errors import UsageError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.settings import Secret, Settings
from bulkupdate.web.check_queue import CheckQueue
from bulkupdate.web.jobs import Jobs
from bulkupdate.web.login_throttle import LoginThrottle
from bulkupdate.web.sessions import Session, Sessions
from bulkupdate.web.upload_store import Uploads, purge_uploads

EXTENSION = "bulkupdate"
CLEANUP_SECONDS = 60.0
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class PageContext:
    """The services behind the pages of one server."""

    settings: Settings
    clock: Clock
    sessions: Sessions
    throttle: LoginThrottle
    uploads: Uploads
    checks: CheckQueue
    jobs: Jobs
    closing: threading.Event
    _of_thread: threading.local = field(default_factory=threading.local)

    @classmethod
    def build(cls, settings: Settings, clock: Clock) -> PageContext:
        """Return the services for these settings. A login in the settings is ignored: users bring their own."""
        settings = replace(settings, username="", password=Secret(""), password_file="")
        return cls(
            settings=settings,
            clock=clock,
            sessions=Sessions(clock, settings.session_minutes * 60),
            throttle=LoginThrottle(clock),
            uploads=Uploads(settings.state_dir, clock),
            checks=CheckQueue(),
            jobs=Jobs(settings, clock),
            closing=threading.Event(),
        )

    def start(self) -> None:
        """Start the background work."""
        self.checks.start()
        threading.Thread(target=self._clean_up_forever, name="cleanup", daemon=True).start()

    def close(self) -> None:
        """Stop all runs; each can be resumed."""
        self.closing.set()
        self.checks.close()
        self.jobs.close()

    @property
    def journal(self) -> Journal:
        """The journal of the current thread, kept open because opening it checks every page of the file."""
        journal: Journal | None = getattr(self._of_thread, "journal", None)
        if journal is None:
            journal = self._of_thread.journal = Journal(self.settings.state_dir, self.clock)
        return journal

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

    def clean_up(self) -> None:
        """Delete what has expired: idle sessions, old uploads, old crash reports."""
        self.sessions.remove_expired()
        before = self.clock.now() - self.settings.upload_days * _DAY_SECONDS
        purge_uploads(self.settings.state_dir, before, frozenset(job.run_id for job in self.jobs.alive()))
        purge_crash_reports(self.settings.state_dir, before)

    def _clean_up_forever(self) -> None:
        while not self.closing.is_set():
            self.clean_up()
            self.clock.wait(CLEANUP_SECONDS, self.closing)


def current_context() -> PageContext:
    """Return the services of the server that handles the current request."""
    return cast(PageContext, current_app.extensions[EXTENSION])


def current_user() -> Session:
    """Return the session of the current request; only for pages that require one."""
    return cast(Session, g.user_session)
