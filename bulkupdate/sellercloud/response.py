"""Classify a response by its status, headers and body: what it means for the request, and what to tell users.

Pure, and never fails on any bytes: the vendor publishes no schema of its errors. `docs/api.md`, section Answers, has
the table that this module implements; a test runs every line of it through the program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from bulkupdate.sellercloud.error_message import LONGEST_SEARCHED, find_message, host_of_redirect, sanitize_message
from bulkupdate.sellercloud.requested_wait import find_clock_offset, find_requested_wait, has_reset_time
from bulkupdate.sellercloud.response_body import (
    decode_text,
    is_html,
    parse_json,
    says_failure,
    says_throttled,
    says_transient,
)


class Verdict(Enum):
    """What a response means for its request."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """Final: the same request would be refused again."""
    TRANSIENT = "transient"
    """The service failed; another attempt may succeed."""
    THROTTLED = "throttled"
    """The quota is used up: the request was not carried out, through no fault of the row."""
    UNAUTHORIZED = "unauthorized"
    """The token is not, or no longer, accepted."""
    UNCLEAR = "unclear"
    """A success status that does not say whether the request was carried out."""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A classified response.

    `message` is the service's own sentence on one line, empty if it gave none. `wait_seconds` is how long the service
    asks to wait, None if it names no time, a past one or an unreadable one; `asks_to_wait` is whether it asks at all.
    `is_not_found`: message or status say that there is no such record. `is_html`: the body is a page, as a proxy or a
    host that is not the service sends it. `json` is the body as JSON, decimals exact (`Decimal`), None if it
    is not JSON; it does not appear in `repr`. `header_names` are in lower case. `clock_offset` is how many seconds the
    service's clock is ahead of ours, None if the answer does not say its time.
    """

    verdict: Verdict
    status: int
    message: str = ""
    wait_seconds: float | None = None
    asks_to_wait: bool = False
    is_not_found: bool = False
    is_html: bool = False
    json: Any = None
    header_names: tuple[str, ...] = ()
    clock_offset: float | None = None

    def __repr__(self) -> str:
        return f"ApiResponse({self.verdict.name}, {self.status}, {self.message!r})"

    def with_note(self, note: str) -> ApiResponse:
        """Return the same response with a note added to its message."""
        start = f"{self.message}; " if self.message else f"answered {self.status}, but "
        return replace(self, message=start + note)


def read_response(
    status: int, headers: Mapping[str, str], body: bytes, now: float, redact: Callable[[str], str] = str
) -> ApiResponse:
    """Classify a response.

    `now` is the local time in seconds since 1970; a time named by the service is measured against the service's own
    `Date` if the local clock disagrees with it. `redact` removes secrets from what the service says.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    parsed, page = parse_json(body), is_html(body)
    asks, wait = find_requested_wait(lowered, parsed, now)
    offset = find_clock_offset(lowered.get("date", ""), now)
    names = tuple(sorted(lowered))
    verdict = _classify(status, asks, parsed, "" if page else decode_text(body[:LONGEST_SEARCHED]))
    if verdict is Verdict.ACCEPTED:
        message = f"answered {status} with an HTML page" if page else ""
        return ApiResponse(verdict, status, message, is_html=page, json=parsed, header_names=names, clock_offset=offset)
    message = sanitize_message(redact(find_message(body, parsed)[:LONGEST_SEARCHED]))
    not_found = status == 404 or (status in (200, 400, 500) and _says_not_found(message))
    verdict = _reclassify_by_message(verdict, status, message, is_not_found=not_found)
    message = _choose_message(verdict, status, message, lowered)
    return ApiResponse(verdict, status, message, wait, asks, not_found, page, parsed, names, offset)


def _classify(status: int, asks_to_wait: bool, parsed: Any, text: str) -> Verdict:
    """Return the verdict by status and body (`docs/api.md`, section Answers)."""
    if status == 429 or has_reset_time(parsed) or (status == 409 and asks_to_wait):
        return Verdict.THROTTLED
    if status != 409 and says_throttled(parsed, text):
        return Verdict.THROTTLED
    if status == 401:
        return Verdict.UNAUTHORIZED
    if 200 <= status < 300:
        return _classify_success(status, parsed, text)
    if status in (408, 425) or 500 <= status < 600:
        return Verdict.TRANSIENT
    return Verdict.REFUSED


def _classify_success(status: int, parsed: Any, text: str) -> Verdict:
    if says_failure(parsed, text):
        return Verdict.REFUSED
    return Verdict.ACCEPTED if status in (200, 204) else Verdict.UNCLEAR


def _reclassify_by_message(verdict: Verdict, status: int, message: str, *, is_not_found: bool) -> Verdict:
    """Return the verdict once the message is known, which may say whether another attempt can succeed."""
    if verdict is Verdict.TRANSIENT and status == 500 and is_not_found:
        return Verdict.REFUSED
    if verdict is Verdict.REFUSED and 200 <= status < 300 and says_transient(message):
        return Verdict.TRANSIENT
    return verdict


def _choose_message(verdict: Verdict, status: int, message: str, headers: Mapping[str, str]) -> str:
    """Return the service's message, unless the status alone says more."""
    if verdict is Verdict.UNCLEAR:
        quoted = f": {message}" if message else ""
        return f"which does not say whether the update was carried out{quoted}"
    if 300 <= status < 400 and "location" in headers:
        return f"a redirect to {host_of_redirect(headers['location'])}, which is never followed"
    return message


def _says_not_found(message: str) -> bool:
    return re.search(r"\bnot found\b|\bdoes not exist\b", message, re.IGNORECASE) is not None
