"""Classify an answer by its status, headers and body: what it means for the row, in words a person can read.

Pure, and never fails on any bytes: the vendor publishes no schema of its errors. `docs/api.md`, section Answers, has
the table of what each answer counts as; a test holds the two together.
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

from bulkupdate.sellercloud.response_body import says_failure, says_throttled, says_transient
from bulkupdate.text import fold_whitespace, truncate

MESSAGE_KEYS = ("errormessage", "exceptionmessage", "message", "error", "title", "error_description")
"""Where an error body may keep its sentence, in that order (`docs/api.md`, section Error bodies); compared without
regard to case."""

MESSAGE_MAPS = ("modelstate", "errors")
"""Where it may keep sentences by field."""

LONGEST_LOOKED_AT = 8_000
"""Characters of a body that a message is looked for in; many more than are kept, as blanks are folded."""

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
    UNCLEAR = "unclear"
    """A success of a kind that does not say the request was carried out: it may or may not have been."""


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
        """Return the same answer, with something more to say of it."""
        start = f"{self.message}; " if self.message else f"answered {self.status}, but "
        return replace(self, message=start + note)

    def read_json(self) -> Any:
        """Return the body as JSON, decimals exact (`Decimal`); None where it is none."""
        return _read_json(self.body)


def read_response(
    status: int, headers: Mapping[str, str], body: bytes, now: float, redact: Callable[[str], str] = str
) -> ApiResponse:
    """Return the verdict on an answer.

    `now` is the local time in seconds since 1970; a time named by the service is measured against the service's own
    `Date` where the local clock disagrees with it. `redact` takes secrets out of what the service says.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    parsed = _read_json(body)
    asks, wait = _asked_wait(lowered, parsed, now)
    verdict = _judge(status, asks, parsed, _as_plain_text(body))
    if verdict is Verdict.ACCEPTED:
        return ApiResponse(verdict, status, f"answered {status} with an HTML page" if _is_html(body) else "", body=body)
    message = sanitize_message(redact(find_message(body, parsed)[:LONGEST_LOOKED_AT]))
    unknown = status == 404 or (status in (200, 400, 500) and _says_not_found(message))
    verdict = _judge_words(verdict, status, message, is_not_found=unknown)
    return ApiResponse(verdict, status, _word(verdict, status, message, lowered), wait, asks, unknown, body)


def _judge(status: int, asks_to_wait: bool, parsed: Any, text: str) -> Verdict:
    """Return the verdict by status and body; a row of `docs/api.md`, section Answers, for each line."""
    has_reset_time = _reset_time(parsed) is not _ABSENT
    if status == 429 or has_reset_time or (status == 409 and asks_to_wait):
        return Verdict.THROTTLED
    if status != 409 and says_throttled(parsed, text):
        return Verdict.THROTTLED
    if status == 401:
        return Verdict.UNAUTHORIZED
    if 200 <= status < 300:
        return _judge_success(status, parsed, text)
    if status in (408, 425) or 500 <= status < 600:
        return Verdict.TRANSIENT
    return Verdict.REFUSED


def _judge_success(status: int, parsed: Any, text: str) -> Verdict:
    if says_failure(parsed, text):
        return Verdict.REFUSED
    return Verdict.ACCEPTED if status in (200, 204) else Verdict.UNCLEAR


def _judge_words(verdict: Verdict, status: int, message: str, *, is_not_found: bool) -> Verdict:
    """Return the verdict once the service's words are known: they say whether trouble may pass."""
    if verdict is Verdict.TRANSIENT and status == 500 and is_not_found:
        return Verdict.REFUSED
    if verdict is Verdict.REFUSED and 200 <= status < 300 and says_transient(message):
        return Verdict.TRANSIENT
    return verdict


def _word(verdict: Verdict, status: int, message: str, headers: Mapping[str, str]) -> str:
    """Return what people are told of the answer: the service's words, unless the status alone says more."""
    if verdict is Verdict.UNCLEAR:
        told = f": {message}" if message else ""
        return f"which does not say that it was done{told}"
    if 300 <= status < 400 and "location" in headers:
        return f"a redirect to {_host_of(headers['location'])}, which is never followed"
    return message


def _says_not_found(message: str) -> bool:
    return re.search(r"\bnot found\b|\bdoes not exist\b", message, re.IGNORECASE) is not None


# --- how long to wait -------------------------------------------------------------------------------------------------

_ABSENT = object()


def _reset_time(parsed: Any) -> Any:
    """Return the value of `RateLimitResetTime`.

    `_ABSENT` if the body has no such key, or has it empty without a word of too many requests.
    """
    if isinstance(parsed, dict):
        for key, value in parsed.items():
            if key.lower() == "ratelimitresettime":
                return value if value or says_throttled(parsed, "") else _ABSENT
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
    """Return the service's time: the local clock's, unless the answer's `Date` shows that one of them is off."""
    service = parse_http_date(date)
    return now if service is None or abs(service - now) <= SANE_CLOCK_SECONDS else service


def _until(then: float | None, now: float) -> float | None:
    """Return the seconds until then; None for a time in the past."""
    if then is None or then - now < -JUST_PASSED_SECONDS:
        return None
    return max(0.0, then - now)


_RESET_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,12}))?\s*(Z|[+-]\d{2}:?\d{2})?", re.ASCII | re.IGNORECASE
)


def parse_reset_time(text: str) -> float | None:
    """Seconds since 1970 of a time as .NET writes it, with up to seven fractional digits; without a zone it is UTC.

    None where it cannot be read.
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
    """Return the service's own words, whole and as they are; empty where it gave none.

    Looks in the order of `docs/api.md`, section Error bodies: the known keys, then the maps by field (which
    are added, as ASP.NET's sentence alone says only that something is wrong), then the text itself.
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


def _as_plain_text(body: bytes) -> str:
    """Return the start of a body that is not a page of HTML."""
    return "" if _is_html(body) else _decode(body[:LONGEST_LOOKED_AT])


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
    """Return the host of a redirect's target, for people: a path may carry a token."""
    match = re.match(r"(?:https?:)?//(?:[^/@]*@)?([^/?#]+)", location, re.IGNORECASE)
    return sanitize_message(match[1]) if match else "another path of the same host"


def sanitize_message(text: str) -> str:
    """Text from outside on one line: blanks folded, control and direction characters out, cut to `LONGEST_MESSAGE`."""
    return truncate(fold_whitespace(text[: LONGEST_MESSAGE * 20]), LONGEST_MESSAGE)
