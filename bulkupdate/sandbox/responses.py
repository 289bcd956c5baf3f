"""A response of the sandbox as a record, and the bodies that the service is known to send. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NoReturn

JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=utf-8"
TICKS_PER_SECOND = 10**7


@dataclass(frozen=True)
class SandboxResponse:
    """One response. `wait_seconds` pass before its first byte, `byte_seconds` between the bytes of its body.

    `cut` ends the connection instead of answering: `close` closes it normally, `reset` with a TCP reset; None: no cut.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_seconds: float = 0.0
    byte_seconds: float = 0.0
    cut: Literal["close", "reset"] | None = None


def parse_json(body: bytes) -> object:
    """Return the JSON value in UTF-8 text; decimals exactly as written. Raises `ValueError` if it is not JSON."""
    try:
        return json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("too deeply nested") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def dump_json(value: object) -> bytes:
    """Return the value as UTF-8 JSON, a `Decimal` as the number it was written as, which `json.dumps` cannot do."""
    return _to_text(value).encode("utf-8", "replace")


def _to_text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{_to_text(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_to_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def answer_json(value: object, status: int = 200) -> SandboxResponse:
    """Return a JSON response."""
    return SandboxResponse(status, dump_json(value))


def error_response(status: int, message: str) -> SandboxResponse:
    """Return a refusal with a `Message`, as the service's errors have it."""
    return answer_json({"Message": message}, status)


def throttle(status: int, reset_time: float) -> SandboxResponse:
    """Return the throttle answer; `reset_time` in seconds since 1970 (`docs/api.md`, section Quota)."""
    return answer_json({"Error": "Too many requests.", "RateLimitResetTime": format_reset_time(reset_time)}, status)


def format_reset_time(seconds: float) -> str:
    """Return UTC with seven fractional digits, as .NET writes it: `2022-01-14T09:38:49.9856571Z`."""
    whole, ticks = divmod(math.ceil(seconds * TICKS_PER_SECOND), TICKS_PER_SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{ticks:07}Z"


def answer_html(status: int, title: str) -> SandboxResponse:
    """Return a page, as a proxy or a wrong host sends it."""
    return SandboxResponse(status, f"<!DOCTYPE html><html><body><h1>{title}</h1></body></html>".encode(), HTML_TYPE)
