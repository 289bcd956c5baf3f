"""The runs being sent by this server: one thread each, over the same `runs/` as the command line."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from bulkupdate.clock import Clock
from bulkupdate.crash_report import log_crash
from bulkupdate.errors import BulkUpdateError, BusyError
from bulkupdate.runs.context import RunContext, open_context
from bulkupdate.runs.estimate import expect_end
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.runs.runner import execute_run
from bulkupdate.sellercloud.rate_limit import WaitState
from bulkupdate.settings import Settings
from bulkupdate.web.sessions import Session

log = logging.getLogger("bulkupdate.web")

CLOSING_SECONDS = 60.0
_LOCK_ATTEMPTS = 10
_LOCK_WAIT_SECONDS = 0.3
_MIN_ROWS_FOR_ESTIMATE = 5


@dataclass
class Job:
    """A run being sent.

    `sent` counts the rows answered since it was launched at `started` (seconds since 1970); `waiting` is what it waits
    for, `expected_end` when it will be done (seconds since 1970), each None if that is not known.
    """

    run_id: str
    session: Session
    started: float
    total: int = 0
    sent: int = 0
    waiting: WaitState | None = None
    expected_end: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the run is still being sent."""
        return self.thread is not None and self.thread.is_alive()


class Jobs:
    """All runs being sent by this server. Thread-safe."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._jobs: dict[str, Job] = {}
        self._lock = threading.RLock()
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
    def one_at_a_time(self) -> Iterator[None]:
        """Let no other request create or launch a run meanwhile, so that a button pressed twice acts once."""
        with self._lock:
            yield

    def launch(self, run_id: str, session: Session) -> None:
        """Send what is left of a run in the journal, unless it is being sent already."""
        with self._lock:
            running = self._jobs.get(run_id)
            if (running is not None and running.is_alive) or self._is_closing:
                return
            job = Job(run_id, session, self._clock.now())
            job.thread = threading.Thread(target=self._work, args=(job,), name=f"run-{run_id}", daemon=True)
            self._jobs[run_id] = job
            job.thread.start()

    def find(self, run_id: str) -> Job | None:
        """Return the job of a run; None if this server is not sending it."""
        job = self._jobs.get(run_id)
        return job if job is not None and job.is_alive else None

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
        try:
            with (
                Journal(self._settings.state_dir, self._clock) as journal,
                self.open_run_context(job.session, journal, job.stop) as run_context,
            ):
                self._send(job, run_context)
        except BulkUpdateError:
            pass  # the journal says how far the run got, and the pages read it there
        except Exception as error:  # noqa: BLE001  # a thread ends silently: a bug has to be reported
            log_crash(self._settings.state_dir, error, [job.session.password.reveal()], self._clock, log)
        finally:
            with self._lock:
                if self._jobs.get(job.run_id) is job:
                    del self._jobs[job.run_id]

    def _send(self, job: Job, run_context: RunContext) -> None:
        run = run_context.journal.find_run(job.run_id)
        job.total = sum(1 for _ in run_context.journal.pending(run))

        def watch(outcomes: Sequence[RowOutcome], waiting: WaitState | None) -> None:
            job.sent += len(outcomes)
            job.waiting = waiting
            job.expected_end = self._estimate_end(job, run_context)

        for _ in range(_LOCK_ATTEMPTS):
            try:
                result = execute_run(run, run_context, watch)
                log.info("run %s: %s", run.id, result.run.state.value)
                return
            except BusyError:  # a page that shows the run may hold its lock for a moment
                self._clock.wait(_LOCK_WAIT_SECONDS, job.stop)

    def _estimate_end(self, job: Job, run_context: RunContext) -> float | None:
        left, elapsed = job.total - job.sent, self._clock.now() - job.started
        if left <= 0 or job.sent < _MIN_ROWS_FOR_ESTIMATE:
            return None
        return expect_end(run_context.client.quota, self._clock.now(), left, elapsed / job.sent)
