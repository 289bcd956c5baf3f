"""Before and after: what the first customers of a sheet hold now, beside what the sheet would make of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from bulkupdate.clock import format_local_time
from bulkupdate.customers.models import Change, CheckedRow
from bulkupdate.errors import StoppedError
from bulkupdate.runs.diff import count_reading, find_changes
from bulkupdate.runs.runner import RunContext
from bulkupdate.web.check_store import KeptCheck

MOST_ROWS = 50
LONGEST_SECONDS = 30.0


@dataclass(frozen=True)
class LivePreview:
    """What a look at the customers found.

    `rows` were looked at, `same` of them hold already what the sheet says; `unknown` are ids the service does not know.
    """

    changes: tuple[Change, ...]
    unknown: tuple[str, ...]
    rows: int
    same: int
    calls: int


def look(parts: RunContext, check: KeptCheck) -> LivePreview:
    """Look at the first customers that would be updated; spends a call for each, or fewer.

    Raises `StoppedError` where there is no quota left for that, or the service does not answer; and
    `InterruptedRunError` where it takes too long.
    """
    rows = list(islice(_sendable(check), MOST_ROWS))
    room = parts.client.quota.room()
    if room.free is not None and room.free < count_reading(rows) + 1:
        until = format_local_time(room.free_at, parts.clock.now())
        raise StoppedError(
            f"Too few requests are left in this hour to read the customers (more are available at {until})."
        )
    watchdog = threading.Timer(LONGEST_SECONDS, parts.stop.set)
    watchdog.daemon = True
    watchdog.start()
    try:
        parts.client.sign_in()
        found = find_changes(lambda: rows, "CustomerId", parts.client, parts.settings.concurrency, _ignore)
    finally:
        watchdog.cancel()
    unknown = tuple(problem.value for problem in found.unknown)
    return LivePreview(found.changes or (), unknown, len(rows), found.same, parts.client.calls)


def _sendable(check: KeptCheck) -> Iterator[CheckedRow]:
    return (row for row in check.rows() if row.body is not None)


def _ignore(_count: int, _waiting: object) -> None:
    """Nobody watches: it is over soon."""
