"""Status, headers and body of an answer to a verdict: what it means for the row, in words a person can read.

Pure, and never fails on any bytes: the vendor publishes no schema of its errors (API sheet, section 5).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from enum import Enum
from html import unescape
from typing import Any

from bulkupdate.text import fold_whitespace, truncate

MESSAGE_KEYS = ("errormessage", "exceptionmessage", "message", "error", "title", "error_description")
"""Where an error body may keep its sentence, in the order of the API sheet; compared without regard to case."""

MESSAGE_MAPS = ("modelstate", "errors")
"""Where it may keep sentences by field."""

LONGEST_MESSAGE = 300
"""Characters of a service's message that are kept."""

SANE_CLOCK_SECONDS = 3.0
"""A local clock no further than this from the service's `Date` is trusted: it knows fractions of a second."""

JUST_PASSED_SECONDS = 0.75
"""A reset time so little in the past passed while the answer travelled: it is no useless one."""


class Verdict(Enum):
    """What an answer means for the request."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """For good: asking again would bring the same answer."""
    TRANSIENT = "transient"
    """The service is in trouble: worth another try."""
    THROTTLED = "throttled"
    """The quota is used up: not done, and not the row's fault."""
    UNAUTHORIZED = "unauthorized"
    """The token is not, or no longer, accepted."""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An answer, read.

    `message` is the service's own sentence on one line, empty where it gave none. `wait_seconds` is how long the
    service asks to wait, None where it names no time, one in the past, or one that cannot be read; `asks_to_wait` is
    whether it asks at all. `is_not_found` is whether the message or status says that there is no such record.
    `body` is kept for `read_json`, and shows in no `repr`.
    """

    verdict: Verdict
    status: int
    message: str = ""
    wait_seconds: float | None = None
    asks_to_wait: bool = False
    is_not_found: bool = False
    body: bytes = b""

    def __repr__(self) -> str:
        return f"ApiResponse({self.verdict.name}, {self.status}, {self.message!r})"

    def with_note(self, note: str) -> ApiResponse:
        """The same answer, with something more to say of it."""
        start = f"{self.message}; " if self.message else f"answered {self.status}, but "
        return replace(self, message=start + note)

    def read_json(self) -> Any:
        """The body as JSON, decimals exact (`Decimal`); None where it is none."""
        return _read_json(self.body)


def read_response(
    status: int, headers: Mapping[str, str], body: bytes, now: float, redact: Callable[[str], str] = str
) -> ApiResponse:
    """The verdict on an answer.

    `now` is the local time in seconds since 1970; a time named by the service is measured against the service's own
    `Date` where the local clock disagrees with it. `redact` takes secrets out of what the service says.
    """
    if 200 <= status < 300:
        message = f"answered {status} with an HTML page" if _is_html(body) else ""
        return ApiResponse(Verdict.ACCEPTED, status, message, body=body)
    lowered = {name.lower(): value for name, value in headers.items()}
    parsed = _read_json(body)
    message = sanitize_message(redact(find_message(body, parsed)))
    if 300 <= status < 400:
        message = f"a redirect to {_host_of(lowered.get('location', ''))}, which is never followed"
    asks, wait = _asked_wait(lowered, parsed, now)
    unknown = status == 404 or (status in (400, 500) and _says_not_found(message))
    verdict = _judge(status, asks, _reset_time(parsed) is not _ABSENT, unknown)
    return ApiResponse(verdict, status, message, wait, asks, unknown, body)


def _judge(status: int, asks_to_wait: bool, has_reset_time: bool, unknown: bool) -> Verdict:
    if status == 429 or has_reset_time or (status == 409 and asks_to_wait):
        return Verdict.THROTTLED
    if status == 401:
        return Verdict.UNAUTHORIZED
    if status in (408, 425) or (500 <= status < 600 and not unknown):
        return Verdict.TRANSIENT
    return Verdict.REFUSED


def _says_not_found(message: str) -> bool:
    return re.search(r"\bnot found\b|\bdoes not exist\b", message, re.IGNORECASE) is not None


# --- how long to wait -------------------------------------------------------------------------------------------------

_ABSENT = object()


def _reset_time(parsed: Any) -> Any:
    """The value of `RateLimitResetTime`; `_ABSENT` where the body has no such key, or has it empty without a word of
    too many requests."""
    if isinstance(parsed, dict):
        for key, value in parsed.items():
            if key.lower() == "ratelimitresettime":
                return value if value or "too many" in str(parsed).casefold() else _ABSENT
    return _ABSENT


def _asked_wait(headers: Mapping[str, str], parsed: Any, now: float) -> tuple[bool, float | None]:
    """Whether the service asks to wait, and how many seconds: the first of its two ways that names a useful time."""
    service_now = _service_time(headers.get("date", ""), now)
    reset = _reset_time(parsed)
    retry_after = headers.get("retry-after")
    asks = reset is not _ABSENT or retry_after is not None
    if isinstance(reset, str):
        wait = _until(parse_reset_time(reset), service_now)
        if wait is not None:
            return asks, wait
    if retry_after is not None:
        return asks, parse_retry_after(retry_after, service_now)
    return asks, None


def _service_time(date: str, now: float) -> float:
    """The service's time: the local clock's, unless the answer's `Date` shows that one of them is off."""
    service = parse_http_date(date)
    return now if service is None or abs(service - now) <= SANE_CLOCK_SECONDS else service


def _until(then: float | None, now: float) -> float | None:
    """The seconds until then; None for a time in the past."""
    if then is None or then - now < -JUST_PASSED_SECONDS:
        return None
    return max(0.0, then - now)


_RESET_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,12}))?\s*(Z|[+-]\d{2}:?\d{2})?", re.ASCII | re.IGNORECASE
)


def parse_reset_time(text: str) -> float | None:
    """Seconds since 1970 of a time as .NET writes it, with up to seven fractional digits; without a zone it is UTC.
    None where it cannot be read."""
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
    """The seconds to wait of a `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. None where it asks for no wait or
    cannot be read."""
    stripped = text.strip()
    if re.fullmatch(r"\d{1,15}(\.\d{1,9})?", stripped, re.ASCII):
        seconds = float(stripped)
        return seconds if seconds > 0 else None
    return _until(parse_http_date(stripped), now)


def parse_http_date(text: str) -> float | None:
    """Seconds since 1970 of an HTTP date (RFC 9110, 5.6.7); None where it cannot be read."""
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) else None


# --- what the service says --------------------------------------------------------------------------------------------


def find_message(body: bytes, parsed: Any) -> str:
    """The service's own words, whole and as they are; empty where it gave none.

    Looks where the API sheet (section 5) says: the known keys in their order, then the maps by field (which are added,
    as ASP.NET's sentence alone says only that something is wrong), then the text itself.
    """
    if isinstance(parsed, str):
        return parsed
    if isinstance(parsed, dict):
        found = list(_sentences(parsed, 0))
        if found:
            return found[0] if len(found) == 1 else ". ".join(each.rstrip(". ") for each in found)
    text = _decode(body)
    return _describe_html(text) if _is_html(body) else text


def _sentences(parsed: Mapping[str, Any], depth: int) -> Iterator[str]:
    lowered = {key.lower(): parsed[key] for key in reversed(list(parsed))}
    sentence = next((text for key in MESSAGE_KEYS if (text := _as_text(lowered.get(key), depth))), "")
    if sentence:
        yield sentence
    for key in MESSAGE_MAPS:
        by_field = lowered.get(key)
        if isinstance(by_field, dict):
            yield from (f"{field}: {text}" for field, value in by_field.items() if (text := _as_text(value, depth)))
        elif text := _as_text(by_field, depth):
            yield text


def _as_text(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list):
        return ", ".join(filter(None, (_as_text(each, depth + 1) for each in value[:5]))) if depth < 3 else ""
    if isinstance(value, dict):
        return ". ".join(_sentences(value, depth + 1)) if depth < 3 else ""
    return ""


def _read_json(body: bytes) -> Any:
    if not body:
        return None
    try:
        return json.loads(body.removeprefix(b"\xef\xbb\xbf"), parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def _is_html(body: bytes) -> bool:
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in start


def _describe_html(text: str) -> str:
    title = re.search(r"<title[^>]*>([^<]{1,1000})</title", text[:20_000], re.IGNORECASE)
    return f"an HTML page: {unescape(title[1]).strip()}" if title else "an HTML page"


def _host_of(location: str) -> str:
    """The host of a redirect's target, for people: a path may carry a token."""
    match = re.match(r"(?:https?:)?//(?:[^/@]*@)?([^/?#]+)", location, re.IGNORECASE)
    return sanitize_message(match[1]) if match else "another address"


def sanitize_message(text: str) -> str:
    """Text from outside on one line: blanks folded, control and direction characters out, cut to `LONGEST_MESSAGE`."""
    return truncate(fold_whitespace(text[: LONGEST_MESSAGE * 20]), LONGEST_MESSAGE)
