"""The progress of a run as its page shows it, looked up once a second however many users watch it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bulkupdate.clock import Clock, format_duration, format_local_time
from bulkupdate.customers.models import Status
from bulkupdate.errors import BulkUpdateError, InterruptedRunError, SignInRefusedError
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.sending.phases import PhaseProgress
from bulkupdate.web.disk_space import is_full_error
from bulkupdate.web.job_progress import UNSETTLED
from bulkupdate.web.jobs import Job
from bulkupdate.web.key_locks import KeyLocks
from bulkupdate.web.page_context import PageContext
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.undo_comparison import is_waiting

REFRESH_SECONDS = 1.0
_COST_FACTOR = 20
"""Slow look-ups are repeated less often, so that they take at most a twentieth of the time."""


@dataclass(frozen=True)
class RunProgress:
    """The progress of a run. `done` of `run.rows` rows are settled; `counts` are labels with their rows.

    `waiting`, `expected_end` and `why_stopped` are texts for users, empty if there is nothing to say. `phases` are
    those of a run that also reads, each with its expected end. `machine` is that of another program that sends it,
    empty if this server does.
    """

    run: Run
    state: RunState
    done: int
    counts: tuple[tuple[str, int], ...]
    requests: int
    machine: str = ""
    is_stopping: bool = False
    waiting: str = ""
    expected_end: str = ""
    why_stopped: str = ""
    left_over: int = 0
    phases: tuple[tuple[PhaseProgress, str], ...] = ()
    elapsed: str = ""

    @property
    def percent(self) -> int:
        """How much of the run is done."""
        return 100 * self.done // max(1, self.run.rows)

    @property
    def label(self) -> str:
        """The state; of a run that has ended, with the rows that did not go through: `finished, 40 rejected`."""
        return "not sent" if is_waiting(self.run) else name_state(self.state, dict(self.counts))

    @property
    def is_running(self) -> bool:
        """Whether the run is being sent."""
        return self.state is RunState.RUNNING


def name_state(state: str, counts: Mapping[str, int]) -> str:
    """Return the state of a run in words; if it has finished, with the rows that did not go through."""
    if state != RunState.FINISHED:
        return str(state)
    went = (Status.UPDATED, Status.UNCHANGED)
    return ", ".join(
        [state, *(f"{count:,} {status}" for status, count in counts.items() if count and status not in went)]
    )


def find_progress(context: PageContext, run: Run) -> RunProgress:
    """Return the progress of a run: from memory if this server sends it, else from the journal."""
    job = context.jobs.find(run.id)
    if job is not None and job.progress is not None:
        return _describe_job(context, job)
    state = context.state_of(run)
    counts, is_running = context.journal.tally(run), state is RunState.RUNNING
    return RunProgress(
        run=run,
        state=state,
        done=counts.rows - sum(counts[status] for status in UNSETTLED),
        counts=tuple((_name(status, is_running), counts[status]) for status in Status if counts[status]),
        requests=run.calls,
        machine="" if job is not None else run.machine,
        is_stopping=bool(run.stop_asked) or (job is not None and job.stop.is_set()),
        why_stopped=_explain_stop(context, run) if state is RunState.STOPPED else "",
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
        elapsed=format_duration(now - progress.started),
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


def _explain_stop(context: PageContext, run: Run) -> str:
    error = context.jobs.last_error(run.id)
    if error is not None and (known := _explain_error(error)):
        return known
    if run.state is RunState.STOPPED and not run.finished:
        return "Nothing was sent yet."
    stored = say_on_page(str(error) if error is not None else run.stopped_by, context.settings.state_dir)
    return stored or "The server ended while this run was being sent."


def _explain_error(error: BulkUpdateError) -> str:
    """Return a sentence for an error that this server has seen; empty if the error's own text suffices."""
    if is_full_error(error):
        return "The disk of the server was full. Tell your administrator; resume the run when there is room again."
    if isinstance(error, SignInRefusedError):
        return "Sellercloud no longer accepted the password. Sign out, sign in with the new one, and resume the run."
    if isinstance(error, InterruptedRunError):
        return "It was stopped. All requests already sent are recorded."
    return ""


@dataclass(frozen=True)
class RenderedProgress:
    """The progress of a run, and the part of its page that shows it."""

    progress: RunProgress
    page: str


class ProgressCache:
    """The rendered progress of each run, renewed after `REFRESH_SECONDS`. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pages: dict[str, tuple[float, RunProgress, str]] = {}
        self._locks = KeyLocks()

    def get(
        self, run_id: str, find: Callable[[], RunProgress], render: Callable[[RunProgress], str]
    ) -> RenderedProgress:
        """Return the progress of this run and its page, rendered at most once a second for all users."""
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
