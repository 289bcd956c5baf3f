"""The log of every request received: tests read from it what the program has sent."""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass

from bulkupdate.sandbox.faults import Kind


@dataclass(slots=True)
class ReceivedRequest:
    """One request and how it was answered.

    `at` is in seconds since 1970. `body` is the raw bytes; that of a sign-in is not kept, as it holds the password.
    `token_number` is the number of the token it carried, counted from 1; None: no issued token. `status` is None until
    it is answered, and remains None if the connection was cut. `fault` is the fault's name,
    `planned` for a response that the fault schedule made itself, None for no fault. `is_throttled`: refused by the
    quota.
    """

    number: int
    at: float
    kind: Kind
    method: str
    path: str
    query: str
    customer_id: str
    body: bytes
    token_number: int | None = None
    status: int | None = None
    applied: bool = False
    fault: str | None = None
    is_throttled: bool = False

    def describe(self) -> dict[str, object]:
        r"""Return the record for JSON; the body as text, bytes that are not UTF-8 as `\x..`."""
        described: dict[str, object] = {name: getattr(self, name) for name in self.__slots__}
        described["body"] = self.body.decode("utf-8", "backslashreplace")
        return described


class RequestLog:
    """The newest requests, and counts of all. Thread-safe."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Delete all requests and restart the counts."""
        with self._lock:
            self._requests: deque[ReceivedRequest] = deque(maxlen=self._kept)
            self._counts: Counter[str] = Counter()
            self._statuses: Counter[str] = Counter()
            self._faults: Counter[str] = Counter()
            self._in_flight: set[int] = set()
            self._most_in_flight = 0

    def open(self, request: ReceivedRequest) -> None:
        """Add a request as it comes in, and give it its number, counted from 1."""
        with self._lock:
            self._counts["requests"] += 1
            self._counts[request.kind] += 1
            request.number = self._counts["requests"]
            self._requests.append(request)
            self._in_flight.add(id(request))
            self._most_in_flight = max(self._most_in_flight, len(self._in_flight))

    def close(self, request: ReceivedRequest) -> None:
        """Count a request's result, just before the response is sent."""
        with self._lock:
            self._in_flight.discard(id(request))
            self._statuses[str(request.status or "none")] += 1
            self._counts["applied"] += request.applied
            self._counts["throttled"] += request.is_throttled
            if request.fault:
                self._faults[request.fault] += 1

    def snapshot(self) -> tuple[ReceivedRequest, ...]:
        """Return the requests kept, oldest first."""
        with self._lock:
            return tuple(self._requests)

    def count(self) -> dict[str, object]:
        """Count all requests since the start, also those no longer kept."""
        with self._lock:
            return {
                "requests": self._counts["requests"],
                "tokens": self._counts["token"],
                "writes": self._counts["write"],
                "reads": self._counts["read"],
                "lists": self._counts["list"],
                "applied": self._counts["applied"],
                "throttled": self._counts["throttled"],
                "statuses": dict(self._statuses),
                "faults": dict(self._faults),
                "in_flight": len(self._in_flight),
                "most_in_flight": self._most_in_flight,
                "kept": len(self._requests),
            }
