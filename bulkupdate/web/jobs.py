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
from bulkupdate.runs.context import RunContext, open_context
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.runs.runner import execute_run
from bulkupdate.sellercloud.rate_limit import WaitState
from bulkupdate.settings import Settings
from bulkupdate.web.job_progress import JobProgress
from bulkupdate.web.key_locks import KeyLocks
from bulkupdate.web.sessions import Session

log = logging.getLogger("bulkupdate.web")

CLOSING_SECONDS = 60.0
_LOCK_ATTEMPTS = 10
_LOCK_WAIT_SECONDS = 0.3
_MAX_ERRORS = 1000


@dataclass
class Job:
    """A run being sent with the login of a session. `progress` is None until the run has been read."""

    run_id: str
    session: Session
    progress: JobProgress | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the run is still being sent."""
        return self.thread is not None and self.thread.is_alive()


class Jobs:
    """All runs being sent by this server. Thread-safe. `on_refused` is called if the service refuses a login."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.on_refused: Callable[[Session], None] = lambda _session: None
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
        """Let no other request create or launch this run meanwhile, so that a button pressed twice acts once."""
        with self._locks.hold(run_id):
            yield

    def launch(self, run_id: str, session: Session) -> None:
        """Send what is left of a run in the journal, unless it is being sent already."""
        with self._lock:
            running = self._jobs.get(run_id)
            if (running is not None and running.is_alive) or self._is_closing:
                return
            job = Job(run_id, session)
            job.thread = threading.Thread(target=self._work, args=(job,), name=f"run-{run_id}", daemon=True)
            self._jobs[run_id] = job
            self._errors.pop(run_id, None)
            job.thread.start()

    def find(self, run_id: str) -> Job | None:
        """Return the job of a run; None if this server is not sending it."""
        job = self._jobs.get(run_id)
        return job if job is not None and job.is_alive else None

    def last_error(self, run_id: str) -> BulkUpdateError | None:
        """Return what stopped a run that this server sent; None if nothing did, or it is not known any more."""
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
            with (
                Journal(self._settings.state_dir, self._clock) as journal,
                self.open_run_context(job.session, journal, job.stop) as run_context,
            ):
                error = self._send(job, run_context)
        except BulkUpdateError as raised:
            error = raised
        except Exception as bug:  # noqa: BLE001  # a thread ends silently: a bug has to be reported
            log_crash(self._settings.state_dir, bug, [job.session.password.reveal()], self._clock, log)
        finally:
            self._forget(job, error)
        if isinstance(error, SignInRefusedError):
            self.on_refused(job.session)

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

        def watch(outcomes: Sequence[RowOutcome], waiting: WaitState | None) -> None:
            progress.record(outcomes, waiting, run_context.client)

        for _ in range(_LOCK_ATTEMPTS):
            try:
                result = execute_run(run, run_context, watch, watch_phase=progress.note_phase)
                log.info("run %s: %s", run.id, result.run.state.value)
                return result.error
            except BusyError:  # a page that shows the run may hold its lock for a moment
                self._clock.wait(_LOCK_WAIT_SECONDS, job.stop)
        return None
