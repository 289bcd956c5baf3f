"""Read the body of a response, and what it says about success: the service reports some failures with status 200.

Pure (`docs/api.md`, section Answers). If the body says nothing about success, such as a customer's record, the status
decides.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

_SUCCESS_KEYS = frozenset({"success", "issuccess", "succeeded", "issuccessful", "successful"})
_ERROR_KEYS = frozenset(
    [
        "error", "errors", "errormessage", "errormessages", "errordescription", "exception", "exceptionmessage",
        "modelstate", "haserror", "haserrors", "iserror", "validationerrors",
    ]
)  # fmt: skip
"""Not `title`, which names an error in problem+json: it is a field of the customer too."""
_STATUS_KEYS = frozenset({"status", "statuscode", "httpstatuscode"})
_TEXT_KEYS = frozenset({"error", "errormessage", "message", "exceptionmessage"})
_NO = frozenset({"false", "no", "0", "failed", "failure", "error"})
_NO_ERROR = frozenset({"", "0", "false", "no", "none", "null", "ok", "success", "no error", "no errors"})

_THROTTLE_TEXT = re.compile(r"\W{0,9}too many requests\b", re.IGNORECASE)
_FAILURE_TEXT = re.compile(r"\W{0,9}(error|exception|failed|failure|too many requests)\b", re.IGNORECASE)
_BROKEN_FAILURE = re.compile(r'"(is)?success(ful)?"\s*:\s*"?(false|0)\b', re.IGNORECASE)
_TRANSIENT_TEXT = re.compile(
    r"\b(try again|retry|temporar(y|ily)|time[d-]?[ -]?out|unavailable|deadlock(ed)?|overload(ed)?|too busy|is busy)\b",
    re.IGNORECASE,
)


def parse_json(body: bytes) -> Any:
    """Return the body as JSON, decimals exact (`Decimal`); None if it is not JSON."""
    if not body:
        return None
    try:
        return json.loads(body.removeprefix(b"\xef\xbb\xbf"), parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def decode_text(body: bytes) -> str:
    """Return the body as text, whatever its bytes: UTF-8, else Windows-1252."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp1252", errors="replace")


def is_html(body: bytes) -> bool:
    """Return whether the body is an HTML page."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")) or b"<html" in start


def says_failure(parsed: Any, text: str) -> bool:
    """Return whether a body says that the request failed. `parsed` is its JSON, None if it is not JSON."""
    if isinstance(parsed, dict):
        return any(_means_failure(_normalize_key(key), value) for key, value in parsed.items())
    if isinstance(parsed, str):
        return _FAILURE_TEXT.match(parsed) is not None
    return parsed is None and (_FAILURE_TEXT.match(text) is not None or _BROKEN_FAILURE.search(text) is not None)


def says_throttled(parsed: Any, text: str) -> bool:
    """Return whether a body holds the words of the throttle answer where an error message would be."""
    if isinstance(parsed, dict):
        values = (value for key, value in parsed.items() if _normalize_key(key) in _TEXT_KEYS)
        return any(isinstance(value, str) and _THROTTLE_TEXT.match(value) for value in values)
    return _THROTTLE_TEXT.match(parsed if isinstance(parsed, str) else text) is not None


def says_transient(message: str) -> bool:
    """Return whether a failure's message says that another attempt may succeed."""
    return _TRANSIENT_TEXT.search(message) is not None


def _means_failure(key: str, value: Any) -> bool:
    if key in _SUCCESS_KEYS:
        return str(value).strip().casefold() in _NO
    if key in _STATUS_KEYS:
        return isinstance(value, int) and 400 <= value < 600
    return key in _ERROR_KEYS and not _is_no_error(value)


def _is_no_error(value: Any, depth: int = 0) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return depth < 5 and all(_is_no_error(item, depth + 1) for item in value)
    return not value or str(value).strip(" .!").casefold() in _NO_ERROR


def _normalize_key(key: str) -> str:
    return re.sub(r"[\s_-]", "", key).lower()
