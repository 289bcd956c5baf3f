"""The progress of a run of this server, counted in memory so that watching it needs no query."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.runs.estimate import expect_end
from bulkupdate.runs.run_records import RowOutcome, Run, StatusCounts
from bulkupdate.runs.sending.phases import Phase, PhaseProgress
from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.rate_limit import Quota, WaitState

_MIN_ROWS_FOR_ESTIMATE = 5
UNSETTLED = (Status.NOT_ATTEMPTED, Status.UNKNOWN, Status.FAILED)
"""What a run starts with and still has to settle."""


class JobProgress:
    """The counts of a run, kept up to date by its own reports. Thread-safe.

    `requests` are those used so far; `waiting` is what the run waits for, `expected_end` when it will be done (seconds
    since 1970), each None if that is not known.
    """

    def __init__(self, run: Run, counts: StatusCounts, clock: Clock) -> None:
        self.run = run
        self.requests = run.calls
        self.waiting: WaitState | None = None
        self.expected_end: float | None = None
        self._clock = clock
        self.started = clock.now()
        self._settled = Counter({status: count for status, count in counts.counts.items() if status not in UNSETTLED})
        self._left = sum(counts[status] for status in UNSETTLED)
        self._awaiting_read_back: set[int] = set()
        self._phases: dict[Phase, PhaseProgress] = {}
        self._quota: Quota | None = None
        self._lock = threading.Lock()

    def record(self, outcomes: Sequence[RowOutcome], waiting: WaitState | None, client: Client) -> None:
        """Record the results of these rows."""
        with self._lock:
            for outcome in outcomes:
                self._settle(outcome)
            self.waiting = waiting
            self.requests = self.run.calls + client.calls
            self._quota = client.quota
            self.expected_end = self._expect_end(client)

    def note_phase(self, progress: PhaseProgress) -> None:
        """Record the progress of a phase."""
        with self._lock:
            self._phases[progress.phase] = progress

    def end(self) -> None:
        """Forget the quota, which the end of the run closes: a page may be asking it just now."""
        with self._lock:
            self._quota = None

    def phases(self) -> list[tuple[PhaseProgress, float | None]]:
        """Return the progress of each phase and its expected end, in order; empty for a run that only updates."""
        with self._lock:
            phases = [self._phases[phase] for phase in Phase if phase in self._phases] if len(self._phases) > 1 else []
            now, quota = self._clock.now(), self._quota
            return [(phase, phase.expect_end(now, quota) if quota else None) for phase in phases]

    def _settle(self, outcome: RowOutcome) -> None:
        if outcome.row in self._awaiting_read_back:
            self._awaiting_read_back.discard(outcome.row)
            self._settled[Status.UNKNOWN] -= 1
        else:
            self._left -= 1
        self._settled[outcome.status] += 1
        if outcome.status is Status.UNKNOWN:
            self._awaiting_read_back.add(outcome.row)

    def _expect_end(self, client: Client) -> float | None:
        """Return when all phases will be done at the pace so far; a row counts once in each phase."""
        now = self._clock.now()
        done = sum(progress.done for progress in self._phases.values())
        left = sum(progress.total - progress.done for progress in self._phases.values())
        if left <= 0 or done < _MIN_ROWS_FOR_ESTIMATE:
            return None
        return expect_end(client.quota, now, left, (now - self.started) / done)

    def counts(self) -> tuple[Mapping[Status, int], int]:
        """Return the rows by status, and how many are still to be sent."""
        with self._lock:
            return +self._settled, max(0, self._left)
