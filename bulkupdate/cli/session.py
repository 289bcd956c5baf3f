"""What commands that use the service share: their run context, and the progress of reading customers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from bulkupdate.cli.console import Console
from bulkupdate.cli.progress import Progress
from bulkupdate.cli.signals import stop_on_signals
from bulkupdate.clock import Clock
from bulkupdate.errors import InterruptedRunError, StoppedError
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.context import RunContext, open_context
from bulkupdate.runs.estimate import estimate_requests
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.settings import Settings
from bulkupdate.text import pluralize


def open_session(settings: Settings) -> AbstractContextManager[RunContext]:
    """Open journal, client and clock for one command; they are closed at its end."""
    return open_context(settings, Clock(), Cancellation())


def show_profile(context: RunContext, console: Console) -> None:
    """Show what is known of the service that matters to a run whose file is not checked again."""
    for sentence in context.profile.describe():
        console.info(sentence)


def print_estimate(
    requests: int, context: RunContext, console: Console, what: str = "Reading the live customers"
) -> bool:
    """Show what reading will cost. Return whether the quota has room for it now."""
    estimate = estimate_requests(context, reads=requests)
    cost = (
        f"{pluralize(requests, 'request')} and a sign-in" if estimate.sign_ins else pluralize(requests, "more request")
    )
    console.info(f"{what} takes {cost}; quota: {estimate.describe_quota()}; expected end: {estimate.describe_end()}")
    return estimate.fits_now


@contextmanager
def watch_reading(total: int, context: RunContext, console: Console, unit: str = "customers") -> Iterator[WatchReading]:
    """Show a progress bar for `total` units. Ctrl-C stops the reading and leaves no run to resume."""
    progress = Progress(console, total, context.client.quota, context.clock, unit=unit)
    try:
        with progress, stop_on_signals(context.stop, console):
            yield progress.advance
    except (StoppedError, InterruptedRunError) as error:
        error.remedy = " ".join(filter(None, (error.remedy, "Nothing was sent; run the same command again.")))
        raise
