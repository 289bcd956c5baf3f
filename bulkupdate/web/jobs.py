"""The runs being sent by this server: one thread each, over the same `runs/` as the command line."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from bulkupdate.clock import Clock
from bulkupdate.crash_report import log_crash
from bulkupdate.errors import BulkUpdateError, BusyError, SignInRefusedError
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.context import RunContext, open_context
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.runs.run_records import RowOutcome, Run
from bulkupdate.runs.sending.runner import execute_run
from bulkupdate.sellercloud.rate_limit import WaitState
from bulkupdate.settings import Settings
from bulkupdate.web.accounts.sessions import Session
from bulkupdate.web.job_progress import JobProgress
from bulkupdate.web.key_locks import KeyLocks

log = logging.getLogger("bulkupdate.web")

CLOSING_SECONDS = 60.0
_LOCK_ATTEMPTS = 10
_LOCK_WAIT_SECONDS = 0.3
_MAX_ERRORS = 1000


Prepare = Callable[[RunContext, WatchReading], None]
"""Writes a run into the journal, after reading customers if that is needed."""


@dataclass
class Job:
    """A run being sent with the login of a session, at most `limit` rows of it (None: all, 0: it is only prepared).

    `prepare` writes the run first, None if the journal has it; `has_begun` is set once that is over, and `read` counts
    the customers read for it, of `to_read`. `progress` is None until the run has been read.
    """

    run_id: str
    session: Session
    limit: int | None = None
    prepare: Prepare | None = None
    to_read: int = 0
    read: int = 0
    waiting: WaitState | None = None
    progress: JobProgress | None = None
    has_begun: threading.Event = field(default_factory=threading.Event)
    stop: Cancellation = field(default_factory=Cancellation)
    thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the run is still being sent."""
        return self.thread is not None and self.thread.is_alive()

    def watch_reading(self, count: int, waiting: WaitState | None) -> None:
        """Note that this many more customers have been read."""
        self.read += count
        self.waiting = waiting


class Jobs:
    """All runs being sent by this server. Thread-safe.

    `on_refused` is called if the service refuses a login, before its run counts as ended; `on_ended` when a run has
    ended without being stopped. `on_end` is called after each.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.on_refused: Callable[[Session], None] = lambda _session: None
        self.on_ended: Callable[[Job, BulkUpdateError | None], None] = lambda _job, _error: None
        self.on_end: Callable[[], None] = lambda: None
        self._settings = settings
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._errors: dict[str, BulkUpdateError] = {}
        self._lock = threading.Lock()
        self._locks = KeyLocks()
        self._is_closing = False

    @contextmanager
    def open_run_context(
        self, session: Session, journal: Journal, stop: threading.Event | None = None
    ) -> Iterator[RunContext]:
        """Open what a run of this user needs. `journal` belongs to the calling thread. Sends nothing."""
        settings = replace(self._settings, username=session.username, password=session.password)
        with open_context(settings, self._clock, stop or threading.Event(), journal) as run_context:
            yield run_context

    @contextmanager
    def one_at_a_time(self, run_id: str) -> Iterator[None]:
        """Keep other requests from creating or launching this run, so that a button pressed twice acts once."""
        with self._locks.hold(run_id):
            yield

    def launch(self, job: Job) -> Job | None:
        """Send what is left of a run, unless that is being done already; None if the server is about to end.

        Raises `StoppedError` if the password of its session was typed at another server.
        """
        job.session.password.reveal()
        with self._lock:
            running = self._jobs.get(job.run_id)
            if (running is not None and running.is_alive) or self._is_closing:
                return running
            job.thread = threading.Thread(target=self._work, args=(job,), name=f"run-{job.run_id}", daemon=True)
            self._jobs[job.run_id] = job
            self._errors.pop(job.run_id, None)
            job.thread.start()
        return job

    def find(self, run_id: str) -> Job | None:
        """Return the job of a run; None if this server is not sending it."""
        job = self._jobs.get(run_id)
        return job if job is not None and job.is_alive else None

    def last_error(self, run_id: str) -> BulkUpdateError | None:
        """Return what stopped a run that this server sent; None if nothing did, or it is no longer known."""
        return self._errors.get(run_id)

    def alive(self) -> list[Job]:
        """Return all jobs that are still being sent."""
        with self._lock:
            return [job for job in self._jobs.values() if job.is_alive]

    def close(self) -> None:
        """Stop all runs: what is in flight is still recorded, and `resume` continues."""
        with self._lock:
            self._is_closing = True
        for job in self.alive():
            job.stop.set()
        for job in self.alive():
            if job.thread is not None:
                job.thread.join(CLOSING_SECONDS)

    def _work(self, job: Job) -> None:
        error: BulkUpdateError | None = None
        try:
            error = self._prepare_and_send(job)
            if isinstance(error, SignInRefusedError):
                self.on_refused(job.session)  # while the job is alive: no page of an ended session shows its end
        except Exception as bug:  # noqa: BLE001  # a thread would end silently: report the bug
            log_crash(self._settings.state_dir, bug, [job.session.password.reveal()], self._clock, log)
        finally:
            self._forget(job, error)
            job.has_begun.set()
        self.on_end()
        if not job.stop.is_set():
            self.on_ended(job, error)

    def _prepare_and_send(self, job: Job) -> BulkUpdateError | None:
        """Write the run and send it; return what stopped it, None if nothing did."""
        try:
            with (
                Journal(self._settings.store, self._clock) as journal,
                self.open_run_context(job.session, journal, job.stop) as run_context,
            ):
                if job.prepare is not None:
                    job.prepare(run_context, job.watch_reading)
                job.has_begun.set()
                return self._send(job, run_context) if job.limit != 0 else None
        except BulkUpdateError as error:
            return error

    def _forget(self, job: Job, error: BulkUpdateError | None) -> None:
        with self._lock:
            if self._jobs.get(job.run_id) is job:
                del self._jobs[job.run_id]
            if error is not None:
                self._errors[job.run_id] = error
            while len(self._errors) > _MAX_ERRORS:
                del self._errors[next(iter(self._errors))]

    def _send(self, job: Job, run_context: RunContext) -> BulkUpdateError | None:
        """Send the run; return what stopped it, None if nothing did."""
        run = run_context.journal.find_run(job.run_id)
        progress = job.progress = JobProgress(run, run_context.journal.tally(run), self._clock)
        try:
            return self._execute(run, job.limit, progress, run_context)
        finally:
            progress.end()

    def _execute(
        self, run: Run, limit: int | None, progress: JobProgress, run_context: RunContext
    ) -> BulkUpdateError | None:
        def watch(outcomes: Sequence[RowOutcome], waiting: WaitState | None) -> None:
            progress.record(outcomes, waiting, run_context.client)

        for _ in range(_LOCK_ATTEMPTS):
            try:
                result = execute_run(run, run_context, watch, limit, watch_phase=progress.note_phase)
                log.info("run %s: %s", run.id, result.run.state.value)
                return result.error
            except BusyError:  # a page that shows the run may hold its lock for a moment
                self._clock.wait(_LOCK_WAIT_SECONDS, run_context.stop)
        return None
