"""The plan of a run before it begins: calls, quota left, and the end by the clock."""

from __future__ import annotations

from dataclasses import dataclass

from bulkupdate.clock import format_local_time
from bulkupdate.customers.models import Status
from bulkupdate.runs.estimate import GUESSED_SECONDS_A_CALL, estimate_end
from bulkupdate.runs.runner import RunContext


@dataclass(frozen=True)
class PreviousRun:
    """A run that has sent the same file before."""

    id: str
    started: str
    updated: int
    rows: int


@dataclass(frozen=True)
class Plan:
    """What sending would mean. `quota` and `end` are words for people; `host` is the service."""

    host: str
    rows: int
    calls: int
    quota: str
    waits: bool
    end: str


def make_plan(parts: RunContext, rows: int) -> Plan:
    """Return the plan for sending so many rows now; asks the quota, sends nothing."""
    calls = rows + 1  # one sign-in
    now = parts.clock.now()
    room = parts.client.quota.room()
    end = estimate_end(parts.client.quota, now, calls, GUESSED_SECONDS_A_CALL / parts.settings.concurrency)
    limit = parts.settings.requests_per_hour
    quota = "no limit" if room.free is None else f"{room.free:,} of {limit:,} requests left this hour"
    waits = room.free is not None and room.free < calls
    return Plan(parts.host, rows, calls, quota, waits, format_local_time(end, now))


def find_earlier(parts: RunContext, sha256: str) -> PreviousRun | None:
    """Return the newest run that has sent a file of this content; None if there is none."""
    for run in parts.journal.runs_of_file(sha256, parts.host):
        if updated := parts.journal.tally(run)[Status.UPDATED]:
            return PreviousRun(run.id, run.started, updated, run.rows)
    return None
