"""The phases of a run, and how far each is: to show its progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.runs.sender import Watch
from bulkupdate.sellercloud.rate_limit import WaitState


class Phase(StrEnum):
    """What a run is doing. With `--snapshot` it reads and updates in turn, some hundred rows at a time."""

    READ_PREVIOUS = "Reading previous values"
    UPDATE = "Updating"
    READ_BACK = "Reading back"


@dataclass(frozen=True)
class PhaseProgress:
    """How far a phase is: `done` of `total` rows."""

    phase: Phase
    done: int
    total: int


WatchPhase = Callable[[PhaseProgress], None]
"""Called when a phase begins, and whenever rows of it are done."""


class PhaseCounter:
    """Counts the rows of each phase and reports them."""

    def __init__(self, watch: WatchPhase) -> None:
        self._watch = watch
        self._progress: dict[Phase, PhaseProgress] = {}

    def begin(self, phase: Phase, total: int) -> None:
        """Report that a phase has this many rows to do; a phase without any is not reported."""
        if total:
            self._report(PhaseProgress(phase, 0, total))

    def advance(self, phase: Phase, count: int) -> None:
        """Report that this many more rows of a phase are done."""
        progress = self._progress.get(phase)
        if progress is not None and count:
            self._report(PhaseProgress(phase, min(progress.done + count, progress.total), progress.total))

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
