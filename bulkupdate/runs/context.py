"""What a run needs: the settings, the journal, the client, the clock and the request to stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from bulkupdate.clock import Clock
from bulkupdate.errors import StoppedError, UsageError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import Run
from bulkupdate.runs.tenant.profile import Profile
from bulkupdate.runs.tenant.profile_store import find_profile
from bulkupdate.sellercloud.client import Client, open_client
from bulkupdate.settings import Settings


@dataclass(frozen=True)
class RunContext:
    """What a run needs; built by the entry point (command line, page, nightly folder, Python functions)."""

    settings: Settings
    journal: Journal
    client: Client
    clock: Clock
    stop: threading.Event
    profile: Profile = field(default_factory=Profile)

    @property
    def host(self) -> str:
        """The host of the service, as recorded with each run."""
        return urlsplit(self.client.base_url).netloc


@contextmanager
def open_context(
    settings: Settings, clock: Clock, stop: threading.Event, journal: Journal | None = None
) -> Iterator[RunContext]:
    """Open what a run needs, and close it at the end. Nothing is sent yet.

    Settings that are not set follow from what is known of the service. A journal that is given stays open. Raises
    `UsageError` if the settings name no service, `StoppedError` if journal or quota cannot be used.
    """
    with nullcontext(journal) if journal is not None else Journal(settings.store, clock) as opened:
        client = open_client(settings, clock, stop)
        try:
            context = RunContext(settings, opened, client, clock, stop)
            profile = find_profile(opened, context.host)
            client.list_filters_ids = profile.find("list_filter") != "ignored"
            yield replace(context, settings=profile.derive(settings), profile=profile)
        finally:
            with suppress(StoppedError):  # the last entries would only free their slots slightly earlier
                client.close()


def require_same_host(run: Run, host: str) -> None:
    """Raise `UsageError` if the settings name another service than the run's."""
    if run.host != host:
        raise UsageError(
            f"Run {run.id} belongs to {run.host}, but the settings name {host}: nothing was sent.",
            remedy=f"Set BULKUPDATE_BASE_URL to the service at {run.host}.",
        )
