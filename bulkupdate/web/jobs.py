"""The runs at work in this process: a thread each, over the same `runs/` as the command line."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, BusyError
from bulkupdate.runs.estimate import estimate_end
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.runs.runner import RunContext, execute_run
from bulkupdate.sellercloud.client import open_client
from bulkupdate.sellercloud.rate_limit import WaitState
from bulkupdate.settings import Settings
from bulkupdate.web.sessions import Session

log = logging.getLogger("bulkupdate.web")

_BUSY_TRIES = 10
_BUSY_WAIT_SECONDS = 0.3
_ROWS_FOR_A_PACE = 5
CLOSING_SECONDS = 60.0


@dataclass
class Job:
    """One run at work.

    `sent` rows have come back since it began, `started` in seconds since 1970; `waiting` is what it waits for,
    `expected_end` when it will be done (seconds since 1970), each None where that is not known.
    """

    run_id: str
    login: Session
    started: float
    total: int = 0
    sent: int = 0
    waiting: WaitState | None = None
    expected_end: float | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether it is still at work."""
        return self.thread is not None and self.thread.is_alive()


class Jobs:
    """All of them. Thread-safe. `report_bug` is told of what no page can explain, and gives a number to ask for."""

    def __init__(self, settings: Settings, clock: Clock, report_bug: Callable[[BaseException], str]) -> None:
        self._settings = settings
        self._clock = clock
        self._report_bug = report_bug
        self._jobs: dict[str, Job] = {}
        self._lock = threading.RLock()
        self._is_closing = False

    @contextmanager
    def open_parts(self, login: Session, journal: Journal, stop: threading.Event | None = None) -> Iterator[RunContext]:
        """Open what a run of this person needs. `journal` is that of the calling thread. Nothing is sent yet."""
        settings = replace(self._settings, username=login.username, password=login.password)
        stop = stop or threading.Event()
        client = open_client(settings, self._clock, stop)
        try:
            yield RunContext(settings, journal, client, self._clock, stop)
        finally:
            client.close()

    @contextmanager
    def one_at_a_time(self) -> Iterator[None]:
        """Nobody else begins or launches a run meanwhile: what is clicked twice happens once."""
        with self._lock:
            yield

    def launch(self, run_id: str, login: Session) -> None:
        """Carry a run of the journal on, unless that is being done."""
        with self._lock:
            known = self._jobs.get(run_id)
            if (known is not None and known.is_alive) or self._is_closing:
                return
            job = Job(run_id, login, self._clock.now())
            job.thread = threading.Thread(target=self._work, args=(job,), name=f"run-{run_id}", daemon=True)
            self._jobs[run_id] = job
            job.thread.start()

    def find(self, run_id: str) -> Job | None:
        """Return the run at work; None where it is not, or not here."""
        job = self._jobs.get(run_id)
        return job if job is not None and job.is_alive else None

    def alive(self) -> list[Job]:
        """All runs at work here."""
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
                self.open_parts(job.login, journal, job.stop) as parts,
            ):
                self._carry_on(job, parts)
        except BulkUpdateError:
            pass  # the journal says how far the run came; a page looks there
        except Exception as error:  # noqa: BLE001  # a thread's end is silent: a bug has to be told of
            self._report_bug(error)
        finally:
            with self._lock:
                if self._jobs.get(job.run_id) is job:
                    del self._jobs[job.run_id]

    def _carry_on(self, job: Job, parts: RunContext) -> None:
        run = parts.journal.find_run(job.run_id)
        job.total = sum(1 for _ in parts.journal.pending(run))

        def watch(outcomes: Sequence[RowOutcome], waiting: WaitState | None) -> None:
            job.sent += len(outcomes)
            job.waiting = waiting
            job.expected_end = self._expect_end(job, parts)

        for _ in range(_BUSY_TRIES):
            try:
                ending = execute_run(run, parts, watch)
                log.info("run %s: %s", run.id, ending.run.state.value)
                return
            except BusyError:  # somebody's page may just be looking at the lock
                self._clock.wait(_BUSY_WAIT_SECONDS, job.stop)

    def _expect_end(self, job: Job, parts: RunContext) -> float | None:
        left, elapsed = job.total - job.sent, self._clock.now() - job.started
        if left <= 0 or job.sent < _ROWS_FOR_A_PACE:
            return None
        return estimate_end(parts.client.quota, self._clock.now(), left, elapsed / job.sent)
