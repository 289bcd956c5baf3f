"""Ctrl-C and its like: the first one stops a run in good order, the second one at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from bulkupdate.cli.console import Console
from bulkupdate.errors import ExitCode
from bulkupdate.runs.cancellation import STOP_SIGNALS


@contextmanager
def stop_on_signals(stop: threading.Event, console: Console) -> Iterator[None]:
    """Each of `STOP_SIGNALS` sets `stop`: what is in flight is still recorded. The second one ends the process at once.

    So does a terminal that is closed (SIGHUP), unless the call was made to outlive it (`nohup`). Ending at once is
    safe: the journal is committed before each request, and SQLite keeps it whole.
    """
    asked = threading.Event()  # `stop` may be set by the run itself

    def handle(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            os._exit(ExitCode.INTERRUPTED)
        asked.set()
        stop.set()
        if not console.quiet:  # written past Python's own stream, which may be in the middle of a line
            with suppress(OSError):
                os.write(2, b"\nStopping: what is in flight is still recorded. (Once more stops at once.)\n")

    before = {number: signal.signal(number, handle) for number in _list_handled()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _list_handled() -> Iterator[int]:
    yield from STOP_SIGNALS
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        yield hang_up
