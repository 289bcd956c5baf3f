"""Log the rows of a run: row number and status, no cell contents."""

from __future__ import annotations

from collections.abc import Sequence

from bulkupdate.clock import format_utc
from bulkupdate.customers.models import Status
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.sellercloud.rate_limit import WaitState


class RowLog:
    """Logs rows as their results arrive, and waits for quota. At the default level, only rows that were not updated.

    `has_waited`: the run has waited for quota.
    """

    def __init__(self, run_id: str) -> None:
        self.has_waited = False
        self._run_id = run_id
        self._waiting = ""

    def __call__(self, outcomes: Sequence[RowOutcome], waiting: WaitState | None) -> None:
        """Log the rows that have a result; the run calls this while it sends."""
        for outcome in outcomes:
            has_failed = outcome.status in (Status.REJECTED, Status.FAILED, Status.UNKNOWN)
            context = {
                "run": self._run_id,
                "row": outcome.row,
                "status": outcome.status,
                "http_status": outcome.http_status,
            }
            if has_failed:
                LOGGER.warning("row not updated", extra=context)
            LOGGER.debug("row: %s", outcome.message or outcome.status, extra=context)
        until = f"{format_utc(waiting.until)[:16]}Z" if waiting else ""  # to the minute: not a line every second
        if until and until != self._waiting:
            self.has_waited = True
            LOGGER.info("waiting for quota until %s", until, extra={"run": self._run_id})
        self._waiting = until
