"""Estimate when a run will end, from the quota and from the speed of the service."""

from __future__ import annotations

from bulkupdate.sellercloud.rate_limit import Quota

GUESSED_SECONDS_A_CALL = 0.25
"""What a call is taken to last before any has been made."""


def estimate_end(quota: Quota, now: float, calls: int, seconds_a_call: float) -> float:
    """When so many calls will be done, in seconds since 1970; `seconds_a_call` with all workers at it together."""
    return max(quota.when_sent(calls), now + calls * seconds_a_call)
