"""The request to end a run early, and who made it."""

from __future__ import annotations

import threading

from bulkupdate.errors import StoppedError


class Cancellation(threading.Event):
    """The request to stop a run, with the reason that came first.

    Set with `set()` by a person's Ctrl-C or SIGTERM, the run was interrupted; set with `request_stop()`, it stopped for
    the reason given.
    """

    def __init__(self) -> None:
        super().__init__()
        self._reason: StoppedError | None = None

    @property
    def reason(self) -> StoppedError | None:
        """Why the run is to end; None for a person's wish, and while nobody has asked."""
        return self._reason

    def request_stop(self, reason: StoppedError) -> None:
        """Ask for the end, for a reason that is no person's wish."""
        if not self.is_set():
            self._reason = reason
            self.set()


def find_reason(stop: threading.Event) -> StoppedError | None:
    """Return the reason given with `stop`; None where there is none."""
    return stop.reason if isinstance(stop, Cancellation) else None
