"""What a run is made with: the settings, the journal, the client, the clock and the request to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from bulkupdate.clock import Clock
from bulkupdate.errors import StoppedError, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import Run
from bulkupdate.sellercloud.client import Client, open_client
from bulkupdate.settings import Settings


@dataclass(frozen=True)
class RunContext:
    """What a run is made with; built by the entry point (command line, page, nightly folder)."""

    settings: Settings
    journal: Journal
    client: Client
    clock: Clock
    stop: threading.Event

    @property
    def host(self) -> str:
        """The service's host, as runs are filed under."""
        return urlsplit(self.client.base_url).netloc


@contextmanager
def open_context(
    settings: Settings, clock: Clock, stop: threading.Event, journal: Journal | None = None
) -> Iterator[RunContext]:
    """Open what a run needs, and close it at the end. Nothing is sent yet.

    A journal that is given stays open. Raises `UsageError` if the settings name no service, `StoppedError` if journal
    or quota cannot be used.
    """
    with nullcontext(journal) if journal is not None else Journal(settings.state_dir, clock) as opened:
        client = open_client(settings, clock, stop)
        try:
            yield RunContext(settings, opened, client, clock, stop)
        finally:
            with suppress(StoppedError):  # the last entries of the quota's file only free their slots a little earlier
                client.close()


def require_same_host(run: Run, host: str) -> None:
    """Raise `UsageError` if the settings name another service than the run's."""
    if run.host != host:
        raise UsageError(
            f"Run {run.id} belongs to {run.host}, but the settings name {host}: nothing was sent.",
            remedy=f"Set BULKUPDATE_BASE_URL to the service at {run.host}.",
        )
