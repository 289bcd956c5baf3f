"""How far a run is, as its page shows it. However many users watch a run, it is looked up once a second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bulkupdate.clock import Clock, format_local_time
from bulkupdate.customers.models import Status
from bulkupdate.errors import BulkUpdateError, InterruptedRunError, SignInRefusedError
from bulkupdate.runs.phases import PhaseProgress
from bulkupdate.runs.run_records import Run, RunState, StatusCounts
from bulkupdate.web.disk_space import is_full_error
from bulkupdate.web.job_progress import UNSETTLED
from bulkupdate.web.jobs import Job
from bulkupdate.web.key_locks import KeyLocks
from bulkupdate.web.page_context import PageContext
from bulkupdate.web.page_words import say_on_page

REFRESH_SECONDS = 1.0
_COST_FACTOR = 20
"""A look-up that takes long is repeated more rarely: it takes a twentieth of the time at most."""


@dataclass(frozen=True)
class RunProgress:
    """How far a run is. `done` of `run.rows` rows are settled; `counts` are labels with their rows.

    `waiting`, `expected_end` and `why_stopped` are texts for users, empty if there is nothing to say. `phases` are
    those of a run that also reads, each with its expected end.
    """

    run: Run
    state: RunState
    done: int
    counts: tuple[tuple[str, int], ...]
    requests: int
    is_here: bool = False
    is_stopping: bool = False
    waiting: str = ""
    expected_end: str = ""
    why_stopped: str = ""
    left_over: int = 0
    phases: tuple[tuple[PhaseProgress, str], ...] = ()

    @property
    def is_running(self) -> bool:
        """Whether the run is being sent."""
        return self.state is RunState.RUNNING


def find_progress(context: PageContext, run: Run) -> RunProgress:
    """Return how far a run is: from memory if this server sends it, else from the journal."""
    job = context.jobs.find(run.id)
    if job is not None and job.progress is not None:
        return _describe_job(context, job)
    counts, state = context.journal.tally(run), context.state_of(run)
    is_running = state is RunState.RUNNING
    return RunProgress(
        run=run,
        state=state,
        done=counts.rows - sum(counts[status] for status in UNSETTLED),
        counts=tuple((_name(status, is_running), counts[status]) for status in Status if counts[status]),
        requests=run.calls,
        is_here=job is not None,
        is_stopping=job is not None and job.stop.is_set(),
        why_stopped=_explain_stop(context, run, counts) if state is RunState.STOPPED else "",
        left_over=counts.rows - counts[Status.UPDATED] - counts[Status.UNCHANGED],
    )


def _describe_job(context: PageContext, job: Job) -> RunProgress:
    assert job.progress is not None
    progress, now = job.progress, context.clock.now()
    settled, left = progress.counts()
    run, waiting, end = progress.run, progress.waiting, progress.expected_end
    is_verified = run.options.verify
    named = [(_name_settled(status, is_verified), settled[status]) for status in Status if settled.get(status)]
    why = "Sellercloud asks to wait" if waiting is not None and waiting.throttled else "waiting for quota"
    return RunProgress(
        run=run,
        state=RunState.RUNNING,
        done=run.rows - left - settled.get(Status.FAILED, 0),
        counts=(*named, *([("to do", left)] if left else [])),
        requests=progress.requests,
        is_here=True,
        phases=tuple((phase, format_local_time(at, now) if at is not None else "") for phase, at in progress.phases()),
        is_stopping=job.stop.is_set(),
        waiting=f"{why} until {format_local_time(waiting.until, now)}" if waiting is not None else "",
        expected_end=format_local_time(end, now) if end is not None else "",
    )


def _name(status: Status, is_running: bool) -> str:
    """Return the status as shown: while another program sends a run, an unknown row is in flight."""
    return "in flight" if is_running and status is Status.UNKNOWN else status.value


def _name_settled(status: Status, is_verified: bool) -> str:
    return "to be read back" if is_verified and status is Status.UNKNOWN else status.value


def _explain_stop(context: PageContext, run: Run, counts: StatusCounts) -> str:
    error = context.jobs.last_error(run.id)
    if error is not None and (known := _explain_error(error)):
        return known
    if counts[Status.NOT_ATTEMPTED] == counts.rows and not run.calls and not run.stopped_by:
        return "Nothing was sent yet."
    stored = say_on_page(str(error) if error is not None else run.stopped_by, context.settings.state_dir)
    return stored or "The server ended while this run was being sent."


def _explain_error(error: BulkUpdateError) -> str:
    """Return a sentence for an error that this server has seen; empty if its own is good enough."""
    if is_full_error(error):
        return "The disk of the server was full. Tell your administrator; resume the run when there is room again."
    if isinstance(error, SignInRefusedError):
        return "Sellercloud no longer accepted the password. Sign out, sign in with the new one, and resume the run."
    if isinstance(error, InterruptedRunError):
        return "It was stopped. All requests already sent are recorded."
    return ""


@dataclass(frozen=True)
class RenderedProgress:
    """How far a run is, and the part of its page that says so."""

    progress: RunProgress
    page: str


class ProgressCache:
    """The rendered progress of each run, made again after `REFRESH_SECONDS`. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pages: dict[str, tuple[float, RunProgress, str]] = {}
        self._locks = KeyLocks()

    def get(
        self, run_id: str, find: Callable[[], RunProgress], render: Callable[[RunProgress], str]
    ) -> RenderedProgress:
        """Return the progress of this run and its page, made at most once a second for all users."""
        with self._locks.hold(run_id):
            started = self._clock.monotonic()
            until, progress, page = self._pages.get(run_id, (0.0, None, ""))
            if progress is None or started >= until:
                progress = find()
                page, ended = render(progress), self._clock.monotonic()
                until = ended + max(REFRESH_SECONDS, _COST_FACTOR * (ended - started))
                self._pages = {key: kept for key, kept in self._pages.items() if kept[0] > started}
                self._pages[run_id] = until, progress, page
        return RenderedProgress(progress, page)
