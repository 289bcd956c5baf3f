"""Log the rows of a run: number and status, no cell contents."""

from __future__ import annotations

from collections.abc import Sequence

from bulkupdate.clock import Clock, format_local_time
from bulkupdate.customers.models import Status
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.sellercloud.rate_limit import WaitState


class RowLog:
    """Logs rows as their results arrive, and waits for quota. At the default level, only rows that were not updated."""

    def __init__(self, run_id: str, clock: Clock) -> None:
        self._run_id = run_id
        self._clock = clock
        self._waiting = ""

    def __call__(self, outcomes: Sequence[RowOutcome], waiting: WaitState | None) -> None:
        """Log the rows that have a result; the run calls this while it sends."""
        for each in outcomes:
            has_failed = each.status in (Status.REJECTED, Status.FAILED, Status.UNKNOWN)
            context = {"run": self._run_id, "row": each.row, "status": each.status, "http_status": each.http_status}
            if has_failed:
                LOGGER.warning("row not updated", extra=context)
            LOGGER.debug("row: %s", each.message or each.status, extra=context)
        until = format_local_time(waiting.until, self._clock.now()) if waiting else ""
        if until and until != self._waiting:
            LOGGER.info("waiting for quota until %s", until, extra={"run": self._run_id})
        self._waiting = until
