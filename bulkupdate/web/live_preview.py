"""The live preview: what the first customers of a sheet hold now, and what the sheet would change."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import islice

from bulkupdate.clock import format_local_time
from bulkupdate.customers.models import Change
from bulkupdate.errors import StoppedError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.diff import count_read_requests, find_changes
from bulkupdate.web.check_store import StoredCheck

MAX_ROWS = 50
MAX_SECONDS = 30.0


@dataclass(frozen=True)
class LivePreview:
    """The comparison of a sheet's first rows with the live customers.

    `rows` were compared, `same` of them hold every value already; `unknown` are ids that the service does not know.
    """

    changes: tuple[Change, ...]
    unknown: tuple[str, ...]
    rows: int
    same: int
    requests: int


def preview_changes(run_context: RunContext, check: StoredCheck) -> LivePreview:
    """Compare the first customers that would be updated; costs one request for each at most.

    Raises `StoppedError` if the quota does not suffice or the service does not answer, and `InterruptedRunError` if
    that takes too long.
    """
    rows = list(islice((row for row in check.rows() if row.body is not None), MAX_ROWS))
    capacity = run_context.client.quota.capacity()
    if capacity.free is not None and capacity.free < count_read_requests(rows) + 1:
        until = format_local_time(capacity.free_at, run_context.clock.now())
        raise StoppedError(
            f"Too few requests are left in this hour to read the customers (more are available at {until})."
        )
    watchdog = threading.Timer(MAX_SECONDS, run_context.stop.set)
    watchdog.daemon = True
    watchdog.start()
    try:
        run_context.client.sign_in()
        found = find_changes(
            lambda: rows, "CustomerId", run_context.client, run_context.settings.concurrency, _ignore_progress
        )
    finally:
        watchdog.cancel()
    unknown = tuple(problem.value for problem in found.unknown)
    return LivePreview(found.changes or (), unknown, len(rows), found.same, run_context.client.calls)


def _ignore_progress(_count: int, _waiting: object) -> None:
    """Show nothing: it is over in a moment."""
