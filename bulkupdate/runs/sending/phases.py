"""The phases of a run, and how far each is: to show its progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bulkupdate.clock import Clock
from bulkupdate.runs.estimate import expect_end
from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.runs.sending.sender import Watch
from bulkupdate.sellercloud.rate_limit import Quota, WaitState

_MIN_ROWS_FOR_ESTIMATE = 5


class Phase(StrEnum):
    """What a run is doing. With `--snapshot` it reads and updates in turn, some hundred rows at a time."""

    READ_PREVIOUS = "Reading previous values"
    UPDATE = "Updating"
    READ_BACK = "Reading back"


@dataclass(frozen=True)
class PhaseProgress:
    """How far a phase is: `done` of `total` rows, begun at `started` (seconds since 1970), with `requests` so far."""

    phase: Phase
    done: int
    total: int
    started: float = 0.0
    requests: int = 0

    def expect_end(self, now: float, quota: Quota) -> float | None:
        """Return when the phase will be done at its pace so far, as the quota allows; None if that is not known yet."""
        left = self.total - self.done
        if not left or self.done < _MIN_ROWS_FOR_ESTIMATE:
            return None
        return expect_end(quota, now, left, (now - self.started) / self.done)


WatchPhase = Callable[[PhaseProgress], None]
"""Called when a phase begins, and whenever rows of it are done."""


class PhaseCounter:
    """Counts the rows and requests of each phase and reports them. `count_requests` gives those of the whole run."""

    def __init__(self, watch: WatchPhase, clock: Clock, count_requests: Callable[[], int]) -> None:
        self._watch = watch
        self._clock = clock
        self._count_requests = count_requests
        self._requests = 0
        self._progress: dict[Phase, PhaseProgress] = {}

    def begin(self, phase: Phase, total: int) -> None:
        """Report that a phase has this many rows to do; a phase without any is not reported."""
        self._requests = self._count_requests()
        if total:
            self._report(PhaseProgress(phase, 0, total, self._clock.now()))

    def advance(self, phase: Phase, count: int) -> None:
        """Report that this many more rows of a phase are done."""
        progress = self._progress.get(phase)
        if progress is not None and count:
            before, self._requests = self._requests, self._count_requests()
            done, requests = min(progress.done + count, progress.total), progress.requests + self._requests - before
            self._report(replace(progress, done=done, requests=requests))

    def watch_updates(self, watch: Watch) -> Watch:
        """Return a watcher of outcomes that counts them for the updates, too."""

        def watch_outcomes(outcomes: Sequence[RowOutcome], waiting: WaitState | None) -> None:
            self.advance(Phase.UPDATE, len(outcomes))
            watch(outcomes, waiting)

        return watch_outcomes

    def _report(self, progress: PhaseProgress) -> None:
        self._progress[progress.phase] = progress
        self._watch(progress)


def ignore_phases(_progress: PhaseProgress) -> None:
    """Show nothing."""
