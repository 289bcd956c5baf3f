"""The request to stop a run early, and its reason."""

from __future__ import annotations

import signal
import threading

from bulkupdate.errors import StoppedError

STOP_SIGNALS = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGBREAK") if (number := getattr(signal, name, None)) is not None
)
"""The signals that ask the program to end: SIGBREAK is Ctrl-Break, or a closed window, on Windows."""


class Cancellation(threading.Event):
    """The request to stop a run, with the first reason given.

    Set with `set()` (Ctrl-C, SIGTERM), the run was interrupted; set with `request_stop()`, it stopped for that reason.
    """

    def __init__(self) -> None:
        super().__init__()
        self._reason: StoppedError | None = None

    @property
    def reason(self) -> StoppedError | None:
        """Why the run has to stop; None if a user asked for it, or if there is no request."""
        return self._reason

    def request_stop(self, reason: StoppedError) -> None:
        """Ask the run to stop for this reason, unless it has already been asked."""
        if not self.is_set():
            self._reason = reason
            self.set()


def find_reason(stop: threading.Event) -> StoppedError | None:
    """Return the reason given with `stop`; None if there is none."""
    return stop.reason if isinstance(stop, Cancellation) else None
