"""Keep to the hourly quota: issue a permit for each request, wait if none is left, honour throttle answers."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from bulkupdate.clock import Clock, format_duration, format_local_time
from bulkupdate.errors import ThrottledTooLongError
from bulkupdate.sellercloud.rate_limit_store import Permit, PermitRefusal, RateLimitStore
from bulkupdate.store.place import Place

WINDOW_SECONDS = 3600.0
"""10,800 requests an hour for a user and IP address, all endpoints together (`docs/api.md`, section Quota)."""

LONGEST_WAIT_SECONDS = 65 * 60.0
"""A throttle answer that asks for a longer wait ends the run, as do consecutive throttle answers for that long."""

BLIND_WAITS_SECONDS = (15.0, 30.0, 60.0, 120.0)
"""The waits after consecutive throttle answers without a usable time; after the last of them the run ends."""

REPEATED_WAITS_SECONDS = (0.0, 0.0, 15.0, 30.0, 60.0, 120.0)
"""The shortest waits after consecutive throttle answers with a time: the first two times are used as they are."""

AFTER_RESET_SECONDS = 0.1
"""Added to the time that the service named."""

POLL_SECONDS = 1.0
"""How often a waiting process checks whether another one has changed the quota."""

SHORTEST_WAIT_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Capacity:
    """What is left of the quota.

    `free` requests may be sent at once (None: no limit); `free_at` is when the next one may, in seconds since 1970 (now
    or earlier if `free` is not 0).
    """

    free: int | None
    free_at: float


@dataclass(frozen=True, slots=True)
class WaitState:
    """All requests wait until then (seconds since 1970), because the service `throttled` or the quota is used up."""

    until: float
    throttled: bool


class Quota:
    """The quota of one user on one host, shared by every process with the same store. Thread-safe.

    `limit` is the requests in any `window_seconds`, 0 = no limit (throttle answers are still honoured).
    `request_seconds` is how long one request may take; `egress` names the address that requests leave from, empty for
    the only one. Every method raises `StoppedError` if the quota's store cannot be used.
    """

    def __init__(
        self,
        place: Place,
        host: str,
        username: str,
        limit: int,
        clock: Clock,
        *,
        window_seconds: float = WINDOW_SECONDS,
        request_seconds: float = 60.0,
        egress: str = "",
    ) -> None:
        self._clock = clock
        self._window = window_seconds
        name = "\n".join((host.lower(), username.casefold(), *([egress] if egress else [])))
        self._store = RateLimitStore(place, name, limit, window_seconds, lease=3 * request_seconds + 5)
        self._turnstile = threading.Lock()
        self._counting = threading.Lock()
        self._queued = 0  # threads at the turnstile
        self._spare: SimpleQueue[Permit] = SimpleQueue()  # taken for those who queue, at most one for each
        self._waiting: WaitState | None = None
        self._refusal: str | None = None

    @property
    def waiting(self) -> WaitState | None:
        """What the requests wait for now; None if they do not wait."""
        return self._waiting

    def spend(self, stop: threading.Event) -> Permit | None:
        """Return a permit for one request, waiting until there is one. None if `stop` was set first.

        Each permit must be given to `release`, `throttle` or `cancel_permit`. Raises `ThrottledTooLongError` if the
        service asked this process to wait too long.
        """
        self._count_queued(1)
        with self._turnstile:  # one thread asks the store for all who queue here
            self._count_queued(-1)
            try:
                while not stop.is_set():
                    self._raise_refusal()
                    with suppress(Empty):
                        return self._spare.get_nowait()
                    self._take(stop)
            finally:
                self._waiting = None
            self._cancel_spare()  # perhaps the database was out of reach until after the stop
        return None

    def record(self, requests: int) -> None:
        """Count requests that were sent before it was known whose quota they are part of."""
        for _ in range(requests):
            self._store.record(self._clock.now())

    def release(self, permit: Permit, *, answered: bool) -> None:
        """Record that the request has ended: `answered`, but not by a throttle answer, or without any answer."""
        self._store.release(permit, self._clock.now(), answered=answered)

    def cancel_permit(self, permit: Permit) -> None:
        """Free the slot of a request that was not sent after all."""
        self._store.cancel_permit(permit, self._clock.now())

    def throttle(self, permit: Permit, wait_seconds: float | None) -> None:
        """Record that the service asked to wait; None if it named no usable time.

        No process sends anything until then; after that, a single request is sent first.

        Raises `ThrottledTooLongError`, also from every later `spend` of this process, if the wait is too long.
        """
        now = self._clock.now()

        def plan(times: int, so_far: float) -> float | None:
            return plan_pause(times, wait_seconds, so_far)

        ends = self._store.throttle(permit, now, plan)
        self._cancel_spare()
        if ends is None:
            self._refusal = _describe_refusal(wait_seconds, now)
            self._raise_refusal()

    def capacity(self, most: int | None = None) -> Capacity:
        """Return how much may be sent now, without spending any.

        Counts up to `most` only, which is quick; None counts all.
        """
        now = self._clock.now()
        if not self._store.limit:
            return Capacity(None, self._store.when_paused(now))
        slots = self._store.when_free(now, self._store.limit if most is None else most)
        return Capacity(sum(when <= now for when in slots), slots[0])

    def when_sent(self, requests: int) -> float:
        """Return the earliest time (seconds since 1970) at which the last of that many requests may be sent."""
        now = self._clock.now()
        limit = self._store.limit
        if not limit or requests < 1:
            return self._store.when_paused(now)
        windows, rest = divmod(requests - 1, limit)
        return self._store.when_free(now, rest + 1)[-1] + windows * self._window

    def close(self) -> None:
        """Close the quota file. May be called twice."""
        self._store.close()

    def _take(self, stop: threading.Event) -> None:
        """Take permits for this thread and those who queue, or wait."""
        now = self._clock.now()
        answer = self._store.take(now, 1 + self._queued)
        if isinstance(answer, PermitRefusal):
            self._wait(answer, now, stop)
            return
        for permit in answer:
            self._spare.put(permit)

    def _cancel_spare(self) -> None:
        with suppress(Empty):
            while True:
                self.cancel_permit(self._spare.get_nowait())

    def _count_queued(self, change: int) -> None:
        with self._counting:
            self._queued += change

    def _wait(self, refusal: PermitRefusal, now: float, stop: threading.Event) -> None:
        if refusal.is_exact or self._waiting is None:
            self._waiting = WaitState(refusal.until, refusal.throttled)
        self._clock.wait(min(max(refusal.until - now, SHORTEST_WAIT_SECONDS), POLL_SECONDS), stop)

    def _raise_refusal(self) -> None:
        if self._refusal is not None:
            raise ThrottledTooLongError(
                self._refusal, remedy="Continue after that time. Other programs may be using the same login."
            )


def plan_pause(times: int, wait_seconds: float | None, so_far_seconds: float) -> float | None:
    """Return the seconds to pause after the `times`-th consecutive throttle answer; None: it has been too long.

    `wait_seconds` is what the service asks for, None if it names no usable time; `so_far_seconds` is the time since the
    first of those answers.
    """
    if wait_seconds is None:
        return BLIND_WAITS_SECONDS[times - 1] if times <= len(BLIND_WAITS_SECONDS) else None
    if wait_seconds > LONGEST_WAIT_SECONDS or so_far_seconds > LONGEST_WAIT_SECONDS:
        return None
    shortest = REPEATED_WAITS_SECONDS[min(times, len(REPEATED_WAITS_SECONDS)) - 1]
    return max(wait_seconds + AFTER_RESET_SECONDS, shortest)


def _describe_refusal(wait_seconds: float | None, now: float) -> str:
    at = format_local_time(now, now)
    if wait_seconds is None:
        return f"The service still answers 'too many requests' at {at}, without a usable time to wait until."
    if wait_seconds > 10 * 365 * 86_400:
        return f"The service asks at {at} to wait for more than ten years before the next request."
    until = format_local_time(now + wait_seconds, now)
    return f"The service asks at {at} to wait until {until} ({format_duration(wait_seconds)}) before the next request."
