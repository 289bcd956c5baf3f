"""The parts that the pages share, and who may see and do what."""

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
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.runner import RunContext
from bulkupdate.settings import Secret, Settings
from bulkupdate.web.check_queue import Checks
from bulkupdate.web.crash_reports import CrashReports
from bulkupdate.web.jobs import Jobs
from bulkupdate.web.login_throttle import LoginThrottle
from bulkupdate.web.sessions import Session, Sessions, fold_name
from bulkupdate.web.upload_store import Upload, Uploads, purge_uploads

EXTENSION = "bulkupdate"
SWEEP_SECONDS = 60.0
_DAY_SECONDS = 86_400.0


@dataclass(frozen=True)
class PageContext:
    """Everything behind the pages of one server."""

    settings: Settings
    clock: Clock
    sessions: Sessions
    attempts: LoginThrottle
    uploads: Uploads
    checks: Checks
    jobs: Jobs
    crash_reports: CrashReports
    closing: threading.Event
    _of_thread: threading.local = field(default_factory=threading.local)

    @classmethod
    def build(cls, settings: Settings, clock: Clock) -> PageContext:
        """Return the parts for these settings; a login in them is of no use here, people bring their own."""
        settings = replace(settings, username="", password=Secret(""), password_file="")
        crash_reports = CrashReports(settings.state_dir, clock)
        return cls(
            settings, clock, Sessions(clock, settings.session_minutes * 60), LoginThrottle(clock),
            Uploads(settings.state_dir, clock), Checks(), Jobs(settings, clock, crash_reports.report), crash_reports,
            threading.Event(),
        )  # fmt: skip

    def start(self) -> None:
        """Begin to work in the background."""
        self.checks.start()
        threading.Thread(target=self._sweep_forever, name="sweeper", daemon=True).start()

    def close(self) -> None:
        """Stop all runs, in good order."""
        self.closing.set()
        self.checks.close()
        self.jobs.close()

    @property
    def journal(self) -> Journal:
        """The journal, for the thread that asks: opening it looks at all its pages, which is too slow for each page."""
        journal: Journal | None = getattr(self._of_thread, "journal", None)
        if journal is None:
            journal = self._of_thread.journal = Journal(self.settings.state_dir, self.clock)
        return journal

    @contextmanager
    def open_parts(self, login: Session) -> Iterator[RunContext]:
        """Journal and client of one person, for one page."""
        with self.jobs.open_parts(login, self.journal) as parts:
            yield parts

    def find_run(self, run_id: str) -> Run | None:
        """Return the run of this id; None if there is none."""
        try:
            return self.journal.find_run(run_id)
        except UsageError:
            return None

    def sweep(self) -> None:
        """Forget what has had its time: idle sessions, old uploads, old errors."""
        self.sessions.sweep()
        before = self.clock.now() - self.settings.upload_days * _DAY_SECONDS
        purge_uploads(self.settings.state_dir, before, frozenset(job.run_id for job in self.jobs.alive()))
        purge_crash_reports(self.settings.state_dir, before)

    def _sweep_forever(self) -> None:
        while not self.closing.is_set():
            self.sweep()
            self.clock.wait(SWEEP_SECONDS, self.closing)

    # -- who may see and do what ---------------------------------------------------------------------------------

    @property
    def needs_approval(self) -> bool:
        """Whether one person uploads and another one starts."""
        return self.settings.approval == "required"

    def is_admin(self, login: Session) -> bool:
        """Whether this person sees everybody's runs."""
        return login.person in {fold_name(name) for name in self.settings.admins.split(",") if name.strip()}

    def owns(self, login: Session, upload: Upload) -> bool:
        """Whether this person uploaded it."""
        return fold_name(upload.owner) == login.person

    def may_see_upload(self, login: Session, upload: Upload) -> bool:
        """Its owner may; an admin; and where two pairs of eyes are asked for, whoever could be the second."""
        if upload.host != login.host:
            return False
        return self.owns(login, upload) or self.is_admin(login) or self.needs_approval

    def may_see_run(self, login: Session, run: Run) -> bool:
        """Return the person whose login sends it may, the one who uploaded its sheet, and an admin."""
        if run.host != login.host:
            return False
        names = [run.username, *([upload.owner] if (upload := self.uploads.find(run.id)) else [])]
        return login.person in map(fold_name, names) or self.is_admin(login)

    def may_start(self, login: Session, upload: Upload) -> bool:
        """Its owner may; with two pairs of eyes, anybody but the owner."""
        return self.owns(login, upload) is not self.needs_approval

    def may_send(self, login: Session, run: Run) -> bool:
        """Whether this person may resume or retry a run: only with the login that began it."""
        return fold_name(run.username) == login.person and run.host == login.host

    def state_of(self, run: Run) -> RunState:
        """How far a run really is."""
        if self.jobs.find(run.id) is not None:
            return RunState.RUNNING
        return effective_state(self.settings.state_dir, run)


def current_context() -> PageContext:
    """Return the site of the request at hand."""
    return cast(PageContext, current_app.extensions[EXTENSION])


def current_user() -> Session:
    """Who is signed in; only on pages that ask for it."""
    return cast(Session, g.login)
