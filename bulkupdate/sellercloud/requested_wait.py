"""How long the service asks to wait: `RateLimitResetTime` in the body, `Retry-After` in the headers.

Pure (`docs/api.md`, section Quota). Times are seconds since 1970.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from bulkupdate.sellercloud.response_body import says_throttled

SANE_CLOCK_SECONDS = 3.0
"""A local clock this close to the service's `Date` is trusted, as it has fractions of a second."""

JUST_PASSED_SECONDS = 0.75
"""A reset time this little in the past has passed while the response travelled, and is still usable."""

_ABSENT = object()

_RESET_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,12}))?\s*(Z|[+-]\d{2}:?\d{2})?", re.ASCII | re.IGNORECASE
)


def has_reset_time(parsed: Any) -> bool:
    """Return whether the body is a throttle answer by its `RateLimitResetTime`; an empty one alone does not count."""
    return _reset_time(parsed) is not _ABSENT


def find_requested_wait(headers: Mapping[str, str], parsed: Any, now: float) -> tuple[bool, float | None]:
    """Return whether the service asks to wait, and for how many seconds.

    The first of its two ways that names a usable time counts; None: neither does. `headers` have lower-case names.
    """
    service_now = now + (find_clock_offset(headers.get("date", ""), now) or 0.0)
    reset = _reset_time(parsed)
    retry_after = headers.get("retry-after")
    asks = reset is not _ABSENT or retry_after is not None
    if isinstance(reset, str):
        wait = _seconds_until(parse_reset_time(reset), service_now)
        if wait is not None:
            return asks, wait
    if retry_after is not None:
        return asks, parse_retry_after(retry_after, service_now)
    return asks, None


def parse_reset_time(text: str) -> float | None:
    """Return the time as .NET writes it, with up to seven fractional digits; without a zone it is UTC.

    None if it cannot be read.
    """
    match = _RESET_TIME.fullmatch(text.strip())
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    zone = "+00:00" if zone is None or zone in "zZ" else zone
    try:
        whole = datetime.fromisoformat(f"{day}T{clock}{zone}").timestamp()
    except (ValueError, OverflowError):
        return None
    return whole + (float(f"0.{fraction}") if fraction else 0.0)


def parse_retry_after(text: str, now: float) -> float | None:
    """Return the seconds to wait of a `Retry-After`, which holds seconds or a date (RFC 9110, 10.2.3).

    None if it asks for no wait or cannot be read.
    """
    stripped = text.strip()
    if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", stripped, re.ASCII):
        seconds = float(stripped)
        return seconds if seconds > 0 else None
    return _seconds_until(parse_http_date(stripped), now)


@lru_cache(maxsize=16)
def parse_http_date(text: str) -> float | None:
    """Return an HTTP date (RFC 9110, 5.6.7); None if it cannot be read. Answers of one second share theirs."""
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


def _reset_time(parsed: Any) -> Any:
    """Return the value of `RateLimitResetTime`.

    `_ABSENT` if the body has no such key, or an empty one without the words "too many requests".
    """
    if isinstance(parsed, dict):
        for key, value in parsed.items():
            if key.lower() == "ratelimitresettime":
                return value if value or says_throttled(parsed, "") else _ABSENT
    return _ABSENT


def find_clock_offset(date: str, now: float) -> float | None:
    """Return how far the service's clock is ahead, in seconds: 0 unless the `Date` of its response disagrees.

    None if the response has no readable `Date`.
    """
    service = parse_http_date(date)
    if service is None:
        return None
    return 0.0 if abs(service - now) <= SANE_CLOCK_SECONDS else service - now


def _seconds_until(then: float | None, now: float) -> float | None:
    """Return the seconds until then; None for a time in the past."""
    if then is None or then - now < -JUST_PASSED_SECONDS:
        return None
    return max(0.0, then - now)
