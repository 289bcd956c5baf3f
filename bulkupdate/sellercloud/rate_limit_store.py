"""One user's quota on one host, shared by all processes of the machine.

`rate_limit.py` does the waiting; here each method is one short transaction, and time is passed in.

A request's window begins at the *end* of the request: the service received it before that, so the next request in
this slot cannot reach the service less than a window later. A slot is taken while its request is in flight; if the
process dies, it is free again a window after the latest time at which the request could have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from bulkupdate.store.place import Place
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

    `throttled`: the service said so; otherwise the quota is used up. `is_exact`: whether that time is known, or is only
    when to ask again.
    """

    until: float
    throttled: bool
    is_exact: bool = True


PausePolicy = Callable[[int, float], float | None]
"""Maps the number of consecutive throttle answers (1, 2, …) and the seconds since the first of them to the seconds to
pause, or to None: it has been too long."""

PROBE_POLL_SECONDS = 0.05
"""How often requests that wait for the probe's answer check again."""

FORGET_THROTTLING_SECONDS = 600.0
"""Throttle answers further apart than this, after the pause, are not consecutive."""

HELD_BACK_SECONDS = 120.0
"""How long other processes are paused if one has given up waiting."""


_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def _done_again(
    method: Callable[Concatenate[RateLimitStore, _Given], _Result],
) -> Callable[Concatenate[RateLimitStore, _Given], _Result]:
    """Let a method do its work again if the connection was lost: a slot that is taken twice comes free by itself."""

    @wraps(method)
    def call(store: RateLimitStore, /, *given: _Given.args, **named: _Given.kwargs) -> _Result:
        return store.file.retried(lambda: method(store, *given, **named))

    return call


class RateLimitStore:
    """One user's quota on one host. Thread-safe.

    `limit` is the requests in any `window` seconds, 0 = no limit; `lease` is the seconds that a request takes at most.
    Every method raises `StoppedError` if the file is locked for long, damaged, or cannot be written.
    """

    def __init__(self, place: Place, name: str, limit: int, window: float, lease: float) -> None:
        self.limit = limit
        # Slightly longer than the window: clocks of two machines drift, and are adjusted by up to 500 ppm.
        self._hold = window * 1.0005
        self._lease = lease
        self.file = QuotaFile(place, name)

    @_done_again
    def take(self, now: float, most: int = 1) -> list[Permit] | PermitRefusal:
        """Take the slots that are free, `most` at most; one only while it is tried whether the service still throttles.

        Many at once cost hardly more than one.
        """
        latest = now + self._lease + self._hold
        if self.limit and (taken := self.file.take_at_once(most, self.limit, now, latest)):
            return [Permit(slot, generation, is_probe=False) for slot, generation in taken]
        with self._transaction(now) as state:
            if now < state.paused_until:
                return PermitRefusal(state.paused_until, throttled=True)
            is_probe = state.throttled > 0
            if is_probe and now < state.probe_until <= now + self._lease:
                return PermitRefusal(now + PROBE_POLL_SECONDS, throttled=True, is_exact=False)
            if self.limit and state.used >= self.limit:
                self._drop_free(state, now)
                if state.used >= self.limit:
                    return PermitRefusal(self.file.list_free_times(state.used - self.limit, 1)[0], throttled=False)
            if is_probe:
                state.probe_until = now + self._lease
            slots = self._occupy(state, now, 1 if is_probe else most)
            return [Permit(slot, state.generation, is_probe) for slot in slots]

    @_done_again
    def record(self, now: float) -> None:
        """Take a slot, even if none is free, for a request that was sent without a permit and has ended."""
        with self._transaction(now) as state:
            permit = Permit(self._occupy(state, now, 1)[0], state.generation, is_probe=False)
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

    @_done_again
    def throttle(self, permit: Permit, now: float, plan: PausePolicy) -> float | None:
        """Pause all processes as `plan` says, as the request of that permit was throttled.

        Return when the pause ends, in seconds since 1970; None if waiting has taken too long. Answers to requests that
        were in flight when the pause began do not start another one.
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

    @_done_again
    def when_free(self, now: float, calls: int) -> list[float]:
        """Return when the next slots come free, earliest first, at most `limit` of them; a free one counts as now."""
        seen = self.file.read_state()  # is the whole answer but for the end of an hour
        if self.limit - seen.used >= calls and seen.paused_until <= now:
            return [now] * calls
        with self._transaction(now) as state:
            free = max(0, self.limit - state.used)  # those taken are asked for one by one: many may have come free
            busy = self.file.list_free_times(max(0, state.used - self.limit), max(0, min(calls, self.limit) - free))
            earliest = max(now, state.paused_until)
            latest = now + self._hold + self._lease  # later times were written before the clock was set back
            return [earliest] * min(free, calls) + [max(earliest, min(when, latest)) for when in busy]

    @_done_again
    def when_paused(self, now: float) -> float:
        """Return the end of the pause the service asked for; now if there is none."""
        with self._transaction(now) as state:
            return max(now, state.paused_until)

    def close(self) -> None:
        """Write what has ended, and close the file. May be called twice."""
        self.file.close()

    def _free(self, permit: Permit, when: float) -> None:
        if permit.slot is not None:
            self.file.free_later(permit.slot, when)

    @_done_again
    def _end_probe(self, permit: Permit, now: float, *, is_open: bool) -> None:
        with self._transaction(now) as state:
            if state.generation == permit.generation:
                state.probe_until = 0
                state.throttled = 0 if is_open else state.throttled

    # --- inside a transaction -----------------------------------------------------------------------------------------

    def _drop_free(self, state: QuotaState, now: float) -> None:
        """Drop the slots that have come free, and those further ahead than any can be: the clock was set back since."""
        self.file.bring_forward(now + self._hold + self._lease + 1, now + self._hold)
        state.used -= self.file.drop_free(now)

    def _occupy(self, state: QuotaState, now: float, most: int) -> Sequence[int | None]:
        """Return the slots that were taken: as many as are free, but at least one; None for each if none is counted."""
        if not self.limit:
            return [None] * most
        count = max(1, min(most, self.limit - state.used))
        state.used += count
        return self.file.take_slots(count, now + self._lease + self._hold)

    @contextmanager
    def _transaction(self, now: float) -> Iterator[QuotaState]:
        """Yield the state, with times corrected that are too far ahead, as the clock was set back since.

        The corrected times are written, so that a pause ends and does not move along with the clock.
        """
        with self.file.transaction() as state:
            longest_pause = state.paused_for or 2 * self._hold
            if state.paused_until > now + longest_pause or state.throttled_since > now:
                state.paused_until = min(state.paused_until, now + longest_pause)
                state.paused_for = longest_pause
                state.throttled_since = min(state.throttled_since, now)
            yield state
