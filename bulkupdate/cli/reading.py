"""What the commands that ask the service share: its parts, and how reading customers is told and watched."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bulkupdate.cli.console import Console, Progress, stop_on_signals
from bulkupdate.clock import Clock, format_local_time
from bulkupdate.errors import InterruptedRunError, StoppedError

if TYPE_CHECKING:
    from bulkupdate.runs.fetch import WatchReading
    from bulkupdate.runs.runner import RunContext
    from bulkupdate.settings import Settings


@contextmanager
def open_parts(settings: Settings) -> Iterator[RunContext]:
    """Journal, client and clock for one command; closed at its end."""
    from bulkupdate.runs.journal import Journal
    from bulkupdate.runs.runner import RunContext
    from bulkupdate.sellercloud.client import open_client

    clock, stop = Clock(), threading.Event()
    with Journal(settings.state_dir, clock) as journal:
        client = open_client(settings, clock, stop)
        try:
            yield RunContext(settings, journal, client, clock, stop)
        finally:
            with suppress(StoppedError):  # what the command came to is said; the quota file's last lines are no news
                client.close()


def print_estimate(calls: int, parts: RunContext, console: Console) -> bool:
    """Say what reading will cost. Whether the quota has room for it at once."""
    from bulkupdate.runs.estimate import GUESSED_SECONDS_A_CALL, estimate_end

    now = parts.clock.now()
    room = parts.client.quota.room()
    end = estimate_end(parts.client.quota, now, calls + 1, GUESSED_SECONDS_A_CALL / parts.settings.concurrency)
    left = "no limit" if room.free is None else f"{room.free:,} of {parts.settings.requests_per_hour:,} left"
    console.info(
        f"Reading the live customers takes {calls:,} calls and a sign-in; quota: {left}; "
        f"expected end: {format_local_time(end, now)}"
    )
    return room.free is None or calls < room.free


@contextmanager
def watch_reading(total: int, parts: RunContext, console: Console) -> Iterator[WatchReading]:
    """Show a progress bar for `total` customers. Ctrl-C stops the reading and leaves no run to resume."""
    progress = Progress(console, total, parts.client.quota, parts.clock)
    try:
        with progress, stop_on_signals(parts.stop, console):
            yield progress.advance
    except (StoppedError, InterruptedRunError) as error:
        if error.remedy is None or "resume" in error.remedy:
            error.remedy = "Nothing was sent. Run the same command again to start over."
        raise
