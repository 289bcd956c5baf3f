"""One user's quota on one host, shared by all processes of the machine.

`rate_limit.py` does the waiting; here each method is one short transaction, and time is passed in.

A request's slot counts from the *end* of the request: the service received it at some moment before, so that the
next holder of the slot cannot reach the service less than a window later. While a request is in flight its slot is
taken; if its process dies it comes free a window after the latest moment at which the request could have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.store.quota_file import QuotaFile, QuotaState


@dataclass(frozen=True, slots=True)
class Permit:
    """Permission to send one request. `slot` is None if there is no limit."""

    slot: int | None
    generation: int
    is_probe: bool


@dataclass(frozen=True, slots=True)
class PermitRefusal:
    """No permission before `until` (seconds since 1970).

    `throttled`: because the service said so, else the quota is used up. `is_exact`: whether that moment is known, or
    only the next one worth asking at.
    """

    until: float
    throttled: bool
    is_exact: bool = True


PausePolicy = Callable[[int, float], float | None]
"""Throttle answers in a row (1, 2, …) and the seconds since the first of them, to the seconds to pause, or None: it
has been too long."""

PROBE_POLL_SECONDS = 0.05
"""How often those who wait for the probe's answer ask."""

FORGET_THROTTLING_SECONDS = 600.0
"""Throttle answers further apart than this, after the pause, are not in a row."""

HELD_BACK_SECONDS = 120.0
"""How long the others are held back once waiting has gone on too long."""


class RateLimitStore:
    """One user's quota on one host. Thread-safe.

    `limit` is the requests in any `window` seconds, 0 = no limit; `lease` is the seconds that a request takes at most.
    Every method raises `StoppedError` if the file is locked for long, damaged, or cannot be written.
    """

    def __init__(self, folder: Path, name: str, limit: int, window: float, lease: float) -> None:
        self.limit = limit
        # A hair longer than the window: two machines' clocks drift apart, and are set right by up to 500 ppm.
        self._hold = window * 1.0005
        self._lease = lease
        self._file = QuotaFile(folder, name)

    def take(self, now: float) -> Permit | PermitRefusal:
        """Take one slot, if one is free."""
        with self._transaction(now) as state:
            if now < state.paused_until:
                return PermitRefusal(state.paused_until, throttled=True)
            is_probe = state.throttled > 0
            if is_probe and now < state.probe_until <= now + self._lease:
                return PermitRefusal(now + PROBE_POLL_SECONDS, throttled=True, is_exact=False)
            if self.limit and state.used >= self.limit:
                self._drop_free(state, now)
                if state.used >= self.limit:
                    return PermitRefusal(self._file.list_free_times(state.used - self.limit, 1)[0], throttled=False)
            if is_probe:
                state.probe_until = now + self._lease
            return Permit(self._occupy(state, now), state.generation, is_probe)

    def record(self, now: float) -> None:
        """Take a slot, whether one was free or not, for a request that was sent without permission and has ended."""
        with self._transaction(now) as state:
            permit = Permit(self._occupy(state, now), state.generation, is_probe=False)
        self._free(permit, now + self._hold)

    def release(self, permit: Permit, now: float, *, answered: bool) -> None:
        """Note that the request of that permit has ended; `answered` if with an answer other than throttling."""
        self._free(permit, now + self._hold)
        if permit.is_probe:
            self._end_probe(permit, now, is_open=answered)

    def cancel_permit(self, permit: Permit, now: float) -> None:
        """Free the slot of a permit whose request was never sent."""
        self._free(permit, now)
        if permit.is_probe:
            self._end_probe(permit, now, is_open=False)

    def throttle(self, permit: Permit, now: float, plan: PausePolicy) -> float | None:
        """Pause all processes as `plan` says, as the request of that permit was throttled.

        Return when the pause ends, in seconds since 1970; None if waiting has gone on too long. Answers to requests
        that were under way when the pause began make no new one: they are the same news.
        """
        self._free(permit, now + self._hold)
        with self._transaction(now) as state:
            if state.generation != permit.generation:
                return max(state.paused_until, now)
            stale = now > state.paused_until + FORGET_THROTTLING_SECONDS
            state.throttled = 1 if stale else state.throttled + 1
            if state.throttled == 1:
                state.throttled_since = now
            pause = plan(state.throttled, now - state.throttled_since)
            state.generation += 1
            state.probe_until = 0
            state.paused_for = HELD_BACK_SECONDS if pause is None else pause
            state.paused_until = now + state.paused_for
            return None if pause is None else state.paused_until

    def when_free(self, now: float, calls: int) -> list[float]:
        """Return when the next slots come free, earliest first, at most `limit` of them; a free one counts as now."""
        seen = self._file.read_state()  # is the whole answer but for the end of an hour
        if self.limit - seen.used >= calls and seen.paused_until <= now:
            return [now] * calls
        with self._transaction(now) as state:
            free = max(0, self.limit - state.used)  # those taken are asked for one by one: many may have come free
            busy = self._file.list_free_times(max(0, state.used - self.limit), max(0, min(calls, self.limit) - free))
            earliest = max(now, state.paused_until)
            latest = now + self._hold + self._lease  # a later one was taken before the clock was set back
            return [earliest] * min(free, calls) + [max(earliest, min(when, latest)) for when in busy]

    def when_paused(self, now: float) -> float:
        """Return the end of the pause the service asked for; now if there is none."""
        with self._transaction(now) as state:
            return max(now, state.paused_until)

    def close(self) -> None:
        """Write what has ended, and close the file. May be called twice."""
        self._file.close()

    def _free(self, permit: Permit, when: float) -> None:
        if permit.slot is not None:
            self._file.free_later(permit.slot, when)

    def _end_probe(self, permit: Permit, now: float, *, is_open: bool) -> None:
        with self._transaction(now) as state:
            if state.generation == permit.generation:
                state.probe_until = 0
                state.throttled = 0 if is_open else state.throttled

    # --- inside a transaction -----------------------------------------------------------------------------------------

    def _drop_free(self, state: QuotaState, now: float) -> None:
        """Drop the slots that have come free, and those further ahead than any can be: the clock was set back since."""
        self._file.bring_forward(now + self._hold + self._lease + 1, now + self._hold)
        state.used -= self._file.drop_free(now)

    def _occupy(self, state: QuotaState, now: float) -> int | None:
        if not self.limit:
            return None
        state.used += 1
        return self._file.take_slot(now + self._lease + self._hold)

    @contextmanager
    def _transaction(self, now: float) -> Iterator[QuotaState]:
        """Give the state, with times that lie too far ahead corrected: they were written by a clock set back since.

        What is corrected is written, so that a pause ends and does not move along with the clock.
        """
        with self._file.transaction() as state:
            longest_pause = state.paused_for or 2 * self._hold
            if state.paused_until > now + longest_pause or state.throttled_since > now:
                state.paused_until = min(state.paused_until, now + longest_pause)
                state.paused_for = longest_pause
                state.throttled_since = min(state.throttled_since, now)
            yield state
