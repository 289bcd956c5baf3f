"""Ctrl-C and other stop signals: the first ends a run in an orderly way, the second at once."""

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
    """Let each of `STOP_SIGNALS` set `stop`: requests in flight are still recorded. The second one ends the process.

    So does a closed terminal (SIGHUP), unless the process is meant to outlive it (`nohup`). Ending at once is safe: the
    journal is committed before each request, and SQLite keeps it intact.
    """
    asked = threading.Event()  # `stop` may be set by the run itself

    def handle(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            os._exit(ExitCode.INTERRUPTED)
        asked.set()
        stop.set()
        if not console.quiet:  # not through Python's own stream, which may be in the middle of a line
            with suppress(OSError):
                os.write(2, b"\nStopping: requests in flight are still recorded. (A second Ctrl-C stops at once.)\n")

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
