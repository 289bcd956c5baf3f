"""The plan on a sheet's page: requests needed, quota left, and the expected end."""

from __future__ import annotations

from dataclasses import dataclass

from bulkupdate.clock import format_local_time
from bulkupdate.customers.models import Status
from bulkupdate.runs.estimate import GUESSED_SECONDS_A_CALL, estimate_end
from bulkupdate.runs.runner import RunContext


@dataclass(frozen=True)
class PreviousRun:
    """An earlier run of the same file."""

    id: str
    started: str
    updated: int
    rows: int


@dataclass(frozen=True)
class Plan:
    """The cost of a run, as shown to the user. `host` is the service; `waits`: the quota does not suffice."""

    host: str
    rows: int
    requests: int
    quota: str
    waits: bool
    end: str


def make_plan(run_context: RunContext, rows: int) -> Plan:
    """Return the plan for sending this many rows now. Reads the quota, sends nothing."""
    requests = rows + 1  # one sign-in
    now, quota = run_context.clock.now(), run_context.client.quota
    capacity = quota.room()
    end = estimate_end(quota, now, requests, GUESSED_SECONDS_A_CALL / run_context.settings.concurrency)
    limit = run_context.settings.requests_per_hour
    shown = "no limit" if capacity.free is None else f"{capacity.free:,} of {limit:,} requests left this hour"
    waits = capacity.free is not None and capacity.free < requests
    return Plan(run_context.host, rows, requests, shown, waits, format_local_time(end, now))


def find_previous_run(run_context: RunContext, sha256: str) -> PreviousRun | None:
    """Return the newest run that updated customers from a file with this content; None if there is none."""
    for run in run_context.journal.runs_of_file(sha256, run_context.host):
        if updated := run_context.journal.tally(run)[Status.UPDATED]:
            return PreviousRun(run.id, run.started, updated, run.rows)
    return None
