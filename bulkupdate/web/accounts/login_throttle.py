"""Slow down repeated sign-in attempts, to prevent guessing and to keep accounts from being locked.

A device on which a user has signed in before is counted separately, so that strangers cannot keep that user out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from bulkupdate.clock import Clock

MAX_COUNTS = 50_000
FIRST_WAIT_SECONDS = 15.0
EXPIRES_AFTER_SECONDS = 3600.0


@dataclass(frozen=True)
class Limit:
    """`free` attempts need no wait; after that the wait doubles up to `max_wait_seconds`."""

    free: int
    max_wait_seconds: float


LIMITS = {
    "address and name": Limit(3, 15 * 60.0),
    "name": Limit(8, 60.0),
    "address": Limit(20, 5 * 60.0),
    "device": Limit(5, 15 * 60.0),
    "no answer": Limit(30, 60.0),
}
"""One name from one address, one name from anywhere, any names from one address, one name from a device that it has
signed in on before; and attempts from one address that got no answer from the service."""


@dataclass(frozen=True)
class Attempt:
    """An attempt to sign in. `device` is the id of a device that this name has signed in on before, empty if none."""

    address: str
    name: str
    device: str = ""

    def list_keys(self) -> list[tuple[str, ...]]:
        """Return what the attempt counts for."""
        if self.device:
            return [("device", self.device, self.name)]
        return [("address and name", self.address, self.name), ("name", self.name), ("address", self.address)]


@dataclass
class _Count:
    attempts: int = 0
    free_at: float = 0.0
    last: float = 0.0


class LoginThrottle:
    """Counts the attempts.

    Thread-safe. An attempt counts as wrong from its start until `reset` or `discard`, so that simultaneous attempts are
    all counted.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, ...], _Count] = {}
        self._lock = threading.Lock()

    def register(self, attempt: Attempt) -> float:
        """Count an attempt and return 0 if it may be made now; else return the seconds to wait, without counting it."""
        now = self._clock.monotonic()
        with self._lock:
            self._remove_expired(now)
            keys = [*attempt.list_keys(), ("no answer", attempt.address)]
            wait = max((self._counts[key].free_at for key in keys if key in self._counts), default=0.0) - now
            if wait > 0:
                return wait
            for key in attempt.list_keys():
                self._count(key, now)
        return 0.0

    def register_refusal(self, name: str) -> None:
        """Count a wrong password that was sent to the service by a session or a run, not by the sign-in form."""
        with self._lock:
            self._count(("name", name), self._clock.monotonic())

    def discard(self, attempt: Attempt) -> None:
        """Do not count an attempt as wrong, because the service gave no answer; there is a limit on these, too."""
        with self._lock:
            self._take_back(attempt)
            self._count(("no answer", attempt.address), self._clock.monotonic())

    def reset(self, attempt: Attempt) -> None:
        """Delete the wrong attempts of a name after a successful one."""
        with self._lock:
            self._take_back(attempt)
            for key in attempt.list_keys():
                if key[0] != "address" and key in self._counts:
                    del self._counts[key]

    def release(self, name: str) -> None:
        """Delete all wrong attempts of a name, at an administrator's request."""
        with self._lock:
            for key in [key for key in self._counts if name in key[1:]]:
                del self._counts[key]

    def slowed_names(self) -> dict[str, float]:
        """Return the names whose next attempt has to wait, with the seconds."""
        now = self._clock.monotonic()
        with self._lock:
            waits = list(self._list_waits(now))
        return {name: max(wait for other, wait in waits if other == name) for name, _ in waits}

    def _list_waits(self, now: float) -> Iterator[tuple[str, float]]:
        for key, count in self._counts.items():
            if key[0] not in ("address", "no answer") and count.free_at > now:
                yield key[-1], count.free_at - now

    def _count(self, key: tuple[str, ...], now: float) -> None:
        count, limit = self._counts.setdefault(key, _Count()), LIMITS[key[0]]
        count.attempts += 1
        count.last = now
        if count.attempts >= limit.free:
            wait = FIRST_WAIT_SECONDS * 2.0 ** min(count.attempts - limit.free, 20)
            count.free_at = now + min(wait, limit.max_wait_seconds)

    def _take_back(self, attempt: Attempt) -> None:
        for key in attempt.list_keys():
            if (count := self._counts.get(key)) is not None:
                count.attempts -= 1
                count.free_at = 0.0

    def _remove_expired(self, now: float) -> None:
        if len(self._counts) > MAX_COUNTS:
            self._counts.clear()
        for key in [key for key, count in self._counts.items() if now - count.last > EXPIRES_AFTER_SECONDS]:
            del self._counts[key]
