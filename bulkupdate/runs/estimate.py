"""Estimate what a run, or reading customers, will cost: the requests, and when the last of them will be answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from bulkupdate.clock import format_local_time
from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.fetch import count_requests
from bulkupdate.runs.run_records import RunOptions
from bulkupdate.sellercloud.rate_limit import Capacity, Quota

GUESSED_REQUEST_SECONDS = 0.25
"""The assumed time of a request before any has been sent."""


@dataclass(frozen=True)
class Estimate:
    """What sending or reading will cost, before the first request.

    `host` is the service. `updates`, `reads` and `sign_ins` are requests. `free` is how many requests the quota allows
    now, None for no limit, `per_hour` the limit. `now` and `expected_end` are in seconds since 1970.
    """

    host: str
    updates: int
    reads: int
    sign_ins: int
    free: int | None
    per_hour: int
    now: float
    expected_end: float

    @property
    def requests(self) -> int:
        """The number of all requests."""
        return self.updates + self.reads + self.sign_ins

    @property
    def fits_now(self) -> bool:
        """Whether the quota has room for all of them now."""
        return self.free is None or self.requests <= self.free

    def describe_quota(self) -> str:
        """Return what is left of the quota, in words."""
        return _describe_free(self.free, self.per_hour)

    def describe_end(self) -> str:
        """Return the expected end as local time."""
        return format_local_time(self.expected_end, self.now)


def estimate_requests(context: RunContext, *, reads: int = 0, updates: int = 0) -> Estimate:
    """Estimate this many requests, plus a sign-in unless it was made. Reads only the quota's file."""
    now, quota = context.clock.now(), context.client.quota
    sign_ins = 0 if context.client.calls else 1
    request_seconds = GUESSED_REQUEST_SECONDS / context.settings.concurrency
    return Estimate(
        host=context.host,
        updates=updates,
        reads=reads,
        sign_ins=sign_ins,
        free=quota.capacity().free,
        per_hour=context.settings.requests_per_hour,
        now=now,
        expected_end=expect_end(quota, now, updates + reads + sign_ins, request_seconds),
    )


def estimate_run(context: RunContext, to_send: int, rows: Iterable[CheckedRow], options: RunOptions) -> Estimate:
    """Estimate a run: the updates, and the reads that `snapshot`, `verify`, `canary` and the write policy add.

    `to_send` of the rows are to be sent, but at most `options.limit`. The rows are only needed to count the reads.
    """
    times = options.verify + (options.snapshot and not options.is_read_first)
    sent = islice((row.fields for row in rows if row.status is Status.NOT_ATTEMPTED), options.limit)
    canary = list(islice(sent, 0 if options.verify else options.canary))
    fields = [*canary, *sent] if times or options.guarded else []
    guarded = () if options.snapshot else filter(None, map(options.guarded.intersection, fields))
    reads = count_requests(canary) + times * count_requests(fields) + count_requests(guarded)
    updates = to_send if options.limit is None else min(to_send, options.limit)
    return estimate_requests(context, updates=updates, reads=reads)


def expect_end(quota: Quota, now: float, requests: int, request_seconds: float) -> float:
    """Return when this many requests will be done, in seconds since 1970.

    `request_seconds` is the time for one, with all workers sending together.
    """
    return max(quota.when_sent(requests), now + requests * request_seconds)


def describe_capacity(capacity: Capacity, per_hour: int, now: float) -> str:
    """Return what is left of the quota, and when the next request may be sent if nothing is."""
    waits = f", next at {format_local_time(capacity.free_at, now)}" if capacity.free == 0 else ""
    return f"{_describe_free(capacity.free, per_hour)}{waits}"


def _describe_free(free: int | None, per_hour: int) -> str:
    return "no limit" if free is None else f"{free:,} of {per_hour:,} requests left"
