"""Earlier runs that sent a file, or its customers, about which users should know before sending again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bulkupdate.clock import format_local_date
from bulkupdate.customers.models import Status
from bulkupdate.errors import OvertakenRunError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_lock import effective_state
from bulkupdate.runs.run_records import UNCONFIRMED, NewerRun, Run, RunState, StatusCounts
from bulkupdate.text import pluralize


@dataclass(frozen=True)
class PreviousRun:
    """A run that has sent a file of the same content. `started` is ISO 8601 in UTC."""

    id: str
    started: str
    state: RunState
    counts: StatusCounts

    @property
    def updated(self) -> int:
        """The rows that were updated."""
        return self.counts[Status.UPDATED]

    @property
    def rows(self) -> int:
        """All rows."""
        return self.counts.rows

    def describe(self) -> str:
        """Return what happened, and what can be done now, in one or two sentences."""
        advice = {
            RunState.FINISHED: "",
            RunState.STOPPED: f" It stopped early: `bulkupdate resume {self.id}` continues it.",
            RunState.RUNNING: " It is being sent now.",
        }
        return (
            f"A file with this content was sent before: {format_local_date(self.started)}, run {self.id}, "
            f"{self.updated:,} of {pluralize(self.rows, 'row')} updated.{advice[self.state]}"
        )


def describe_newer_runs(run: Run, newer: Sequence[NewerRun]) -> str:
    """Return what continuing the run would overwrite, in a sentence."""
    named = ", ".join(f"run {other.id} ({pluralize(other.customers, 'customer')})" for other in newer[:_NAMED])
    more = f" and {pluralize(len(newer) - _NAMED, 'more run')}" if len(newer) > _NAMED else ""
    return (
        f"Since run {run.id} began, customers of rows that wait in it were updated by other runs: {named}{more}. "
        "Sending these rows now would overwrite what those runs have sent."
    )


def require_not_overtaken(
    journal: Journal, run: Run, statuses: Sequence[Status] = UNCONFIRMED, *, remedy: str = ""
) -> None:
    """Raise `OvertakenRunError` if sending these rows of the run would overwrite what newer runs have sent."""
    if newer := journal.find_newer_runs(run, statuses):
        remedy = remedy or f"If its values are the right ones, send them with `bulkupdate resume {run.id} --yes`."
        raise OvertakenRunError(describe_newer_runs(run, newer), remedy=remedy)


_NAMED = 3


def find_previous_run(journal: Journal, sha256: str, host: str, *, other_than: str = "") -> PreviousRun | None:
    """Return the newest run that has sent a file of this content to this host; None if there is none.

    A run counts if it has updated something, or is running now, unless its id is `other_than`. Raises `JournalError`.
    """
    for run in journal.runs_of_file(sha256, host):
        if run.id == other_than:
            continue
        counts, state = journal.tally(run), effective_state(journal, run)
        if counts[Status.UPDATED] or state is RunState.RUNNING:
            return PreviousRun(run.id, run.started, state, counts)
    return None
