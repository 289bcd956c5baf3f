"""The quota of requests, as the service counts it."""

from __future__ import annotations

import threading
from collections import defaultdict, deque


class SandboxQuota:
    """Counts the requests of each user in a window; a request over the limit is refused and not counted.

    `limit` 0 means no limit. A rolling window looks back from each request; a fixed one starts at each multiple of its
    length since 1970. Times are seconds since 1970.
    """

    def __init__(self, limit: int, window_seconds: float, *, is_rolling: bool) -> None:
        self._limit = limit
        self._window_seconds = window_seconds
        self._is_rolling = is_rolling
        self._times: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()

    def spend(self, user: str, now: float) -> float | None:
        """Count one request. Return None if it is allowed, else the time at which the next one will be."""
        if not self._limit:
            return None
        with self._lock:
            times = self._times[user]
            start = (
                now - self._window_seconds if self._is_rolling else now // self._window_seconds * self._window_seconds
            )
            while times and (times[0] <= start if self._is_rolling else times[0] < start):
                times.popleft()
            if len(times) < self._limit:
                times.append(now)
                return None
            return (times[0] if self._is_rolling else start) + self._window_seconds
