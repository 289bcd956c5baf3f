"""Sign-in attempts, slowed down: against guessing here, and so that nobody's account is locked at the service."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bulkupdate.clock import Clock

FREE_TRIES = {"address and name": 3, "name": 8, "address": 20}
"""Tries without a wait: of one name from one address, of one name from anywhere, of all names from one address."""

FIRST_WAIT_SECONDS = 15.0
LONGEST_WAIT_SECONDS = 15 * 60.0
FORGOTTEN_AFTER_SECONDS = 3600.0
MOST_KEPT = 50_000


@dataclass
class _Count:
    tries: int = 0
    free_at: float = 0.0
    last: float = 0.0


class LoginThrottle:
    """Counts the tries.

    Thread-safe. A try counts as wrong from its beginning until it is forgiven, so that tries at the same moment are all
    counted.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: dict[tuple[str, ...], _Count] = {}
        self._lock = threading.Lock()

    def register(self, address: str, name: str) -> float:
        """Count a try; 0 if it may be made now, else the seconds to wait, and then it is not counted."""
        now = self._clock.now()
        with self._lock:
            self._forget_old(now)
            counts = [(self._counts.setdefault(key, _Count()), FREE_TRIES[key[0]]) for key in self._keys(address, name)]
            if (wait := max(count.free_at for count, _ in counts) - now) > 0:
                return wait
            for count, free in counts:
                count.tries += 1
                count.last = now
                if count.tries >= free:
                    count.free_at = now + min(FIRST_WAIT_SECONDS * 2 ** (count.tries - free), LONGEST_WAIT_SECONDS)
        return 0.0

    def discard(self, address: str, name: str) -> None:
        """Forget a try that was no guess, as the service was down; those before it still count."""
        with self._lock:
            for count in self._find(address, name):
                count.tries -= 1
                count.free_at = 0.0

    def reset(self, address: str, name: str) -> None:
        """Forget the wrong tries of a name after a right one."""
        self.discard(address, name)
        with self._lock:
            for count in self._find(address, name)[:2]:
                count.tries = 0

    def _find(self, address: str, name: str) -> list[_Count]:
        return [self._counts[key] for key in self._keys(address, name) if key in self._counts]

    def _keys(self, address: str, name: str) -> list[tuple[str, ...]]:
        return [("address and name", address, name), ("name", name), ("address", address)]

    def _forget_old(self, now: float) -> None:
        if len(self._counts) > MOST_KEPT:
            self._counts.clear()
        for key in [key for key, count in self._counts.items() if now - count.last > FORGOTTEN_AFTER_SECONDS]:
            del self._counts[key]
