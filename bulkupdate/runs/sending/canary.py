"""`--canary`: the first rows of a run, which must be read back as sent before any other row is sent."""

from __future__ import annotations

from bulkupdate.customers.models import ResultLine, Status
from bulkupdate.errors import CanaryError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import UNCONFIRMED, PendingRow, Run
from bulkupdate.runs.sending.read_back import AGREES
from bulkupdate.text import SuggestedCommand, pluralize

_SHOWN = 5


def find_canary(run: Run, journal: Journal, limit: int | None) -> frozenset[int]:
    """Return the rows that must agree before others are sent; none if they have agreed, or there is no canary.

    They are the first rows that the service has not finally rejected, at most `limit` (None: all). Raises
    `JournalError`.
    """
    count = run.options.canary if limit is None else min(run.options.canary, limit)
    canary = journal.find_first_lines(run, (Status.UPDATED, *UNCONFIRMED), count)
    return frozenset() if all(map(_agrees, canary)) else frozenset(line.row for line in canary)


def take_canary(run: Run, journal: Journal, canary: frozenset[int]) -> list[PendingRow]:
    """Return the rows of the canary that are still to be sent: all that are, as far as its last row."""
    return list(journal.pending(run, max(canary)))


def require_agreement(run: Run, journal: Journal, canary: frozenset[int]) -> None:
    """Raise `CanaryError`, with the differences, unless every field of these rows was read back as it was sent.

    Rows of which the write policy left nothing show nothing: others take their place.
    """
    lines = journal.find_lines(run, canary)
    differing = [line for line in lines if not _agrees(line) and line.status is not Status.UNCHANGED]
    if not differing:
        return
    shown = "; ".join(f"row {line.row}: {line.status.value}, {line.message}" for line in differing[:_SHOWN])
    more = f"; and {len(differing) - _SHOWN:,} more" if len(differing) > _SHOWN else ""
    undo = f", or restore the previous values: {SuggestedCommand('undo', run.id, '--run')}"
    raise CanaryError(
        f"The canary disagreed, so no other row was sent: {len(differing):,} of its {pluralize(len(canary), 'row')} "
        f"are not as sent ({shown}{more}).",
        remedy=f"Look at these customers. `bulkupdate resume` sends the canary again; to continue without it: "
        f"{SuggestedCommand('resume', run.id, '--canary', '0')}{undo if run.options.snapshot else ''}",
    )


def _agrees(line: ResultLine) -> bool:
    return line.status is Status.UPDATED and line.message == AGREES
