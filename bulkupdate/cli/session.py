"""What the commands that ask the service share: their run context, and the progress of reading customers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bulkupdate.cli.console import Console
from bulkupdate.cli.progress import Progress
from bulkupdate.cli.signals import stop_on_signals
from bulkupdate.clock import Clock, format_local_time
from bulkupdate.errors import InterruptedRunError, StoppedError
from bulkupdate.runs.estimate import GUESSED_SECONDS_A_CALL, estimate_end
from bulkupdate.runs.fetch import WatchReading
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.runner import RunContext
from bulkupdate.sellercloud.client import open_client
from bulkupdate.settings import Settings


@contextmanager
def open_context(settings: Settings) -> Iterator[RunContext]:
    """Open journal, client and clock for one command; they are closed at its end."""
    clock, stop = Clock(), threading.Event()
    with Journal(settings.state_dir, clock) as journal:
        client = open_client(settings, clock, stop)
        try:
            yield RunContext(settings, journal, client, clock, stop)
        finally:
            with suppress(StoppedError):  # the result is reported; what ends the quota file now is no news
                client.close()


def print_estimate(calls: int, context: RunContext, console: Console) -> bool:
    """Say what reading will cost. Return whether the quota has room for it at once."""
    now = context.clock.now()
    room = context.client.quota.room()
    end = estimate_end(context.client.quota, now, calls + 1, GUESSED_SECONDS_A_CALL / context.settings.concurrency)
    left = "no limit" if room.free is None else f"{room.free:,} of {context.settings.requests_per_hour:,} left"
    console.info(
        f"Reading the live customers takes {calls:,} calls and a sign-in; quota: {left}; "
        f"expected end: {format_local_time(end, now)}"
    )
    return room.free is None or calls < room.free


@contextmanager
def watch_reading(total: int, context: RunContext, console: Console) -> Iterator[WatchReading]:
    """Show a progress bar for `total` customers. Ctrl-C stops the reading and leaves no run to resume."""
    progress = Progress(console, total, context.client.quota, context.clock)
    try:
        with progress, stop_on_signals(context.stop, console):
            yield progress.advance
    except (StoppedError, InterruptedRunError) as error:
        error.remedy = " ".join(filter(None, (error.remedy, "Nothing was sent; run the same command again.")))
        raise
