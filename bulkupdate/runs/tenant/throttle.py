"""What the first throttle answer of a run tells: nothing is sent to provoke one."""

from __future__ import annotations

from bulkupdate.runs.tenant.answers import list_names
from bulkupdate.runs.tenant.facts import Facts
from bulkupdate.sellercloud.requested_wait import parse_reset_time
from bulkupdate.sellercloud.response import ApiResponse

_HOUR_SECONDS = 3600


def describe_throttle(response: ApiResponse) -> Facts:
    """Return its status, the names of its headers and of the keys of its body, and when the quota is whole again."""
    body = response.json if isinstance(response.json, dict) else {}
    facts: Facts = {
        "throttle_status": response.status,
        "throttle_headers": list_names(response.header_names),
        "throttle_keys": list_names(body),
    }
    reset = parse_reset_time(str(body.get("RateLimitResetTime")))
    if reset is not None:
        facts["throttle_reset"] = "at another time" if reset % _HOUR_SECONDS >= 1 else "on the hour"
    return facts
