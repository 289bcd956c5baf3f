"""Slow down repeated sign-in attempts: against guessing, and so that no account is locked at the service."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bulkupdate.clock import Clock

FREE_ATTEMPTS = {"address and name": 3, "name": 8, "address": 20}
"""Attempts without a wait: for one name from one address, one name from anywhere, any names from one address."""

FIRST_WAIT_SECONDS = 15.0
MAX_WAIT_SECONDS = 15 * 60.0
EXPIRES_AFTER_SECONDS = 3600.0
MAX_COUNTS = 50_000


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

    def register(self, address: str, name: str) -> float:
        """Count an attempt and return 0 if it may be made now; else return the seconds to wait, without counting it."""
        now = self._clock.now()
        with self._lock:
            self._remove_expired(now)
            keys = self._keys(address, name)
            counts = [(self._counts.setdefault(key, _Count()), FREE_ATTEMPTS[key[0]]) for key in keys]
            if (wait := max(count.free_at for count, _ in counts) - now) > 0:
                return wait
            for count, free in counts:
                count.attempts += 1
                count.last = now
                if count.attempts >= free:
                    wait = min(FIRST_WAIT_SECONDS * 2 ** (count.attempts - free), MAX_WAIT_SECONDS)
                    count.free_at = now + wait
        return 0.0

    def discard(self, address: str, name: str) -> None:
        """Do not count an attempt that got no answer from the service; earlier ones still count."""
        with self._lock:
            for count in self._find(address, name):
                count.attempts -= 1
                count.free_at = 0.0

    def reset(self, address: str, name: str) -> None:
        """Forget the wrong attempts for a name after a right one."""
        self.discard(address, name)
        with self._lock:
            for count in self._find(address, name)[:2]:
                count.attempts = 0

    def _find(self, address: str, name: str) -> list[_Count]:
        return [self._counts[key] for key in self._keys(address, name) if key in self._counts]

    def _keys(self, address: str, name: str) -> list[tuple[str, ...]]:
        return [("address and name", address, name), ("name", name), ("address", address)]

    def _remove_expired(self, now: float) -> None:
        if len(self._counts) > MAX_COUNTS:
            self._counts.clear()
        for key in [key for key, count in self._counts.items() if now - count.last > EXPIRES_AFTER_SECONDS]:
            del self._counts[key]
