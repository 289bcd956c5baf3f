"""Read the body of a response, and what it says about success: the service reports some failures with status 200.

Pure (`docs/api.md`, section Answers). If the body says nothing about success, such as a customer's record, the status
decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

_SUCCESS_KEYS = frozenset(
    ["success", "issuccess", "succeeded", "issucceeded", "successful", "issuccessful", "ok", "isok", "valid", "isvalid"]
)
_ERROR_KEYS = frozenset(
    [
        "error", "errors", "errorcode", "errorcodes", "errormessage", "errormessages", "errordescription", "exception",
        "exceptionmessage", "failed", "isfailed", "hasfailed", "failure", "failures", "fault", "haserror", "haserrors",
        "iserror", "modelstate", "validationerrors",
    ]
)  # fmt: skip
"""Not `title`, which names an error in problem+json: it is a field of the customer too."""
_STATUS_KEYS = frozenset({"code", "httpstatus", "httpstatuscode", "outcome", "result", "status", "statuscode"})
_TEXT_KEYS = frozenset({"error", "errormessage", "message", "exceptionmessage"})
_WRAPPER_KEYS = frozenset({"body", "content", "d", "data", "payload", "response", "result", "results", "value"})
"""Keys whose value may be the real answer."""
_NO = frozenset({"false", "f", "no", "n", "0", "fail", "failed", "failure", "error"})
_NO_ERROR = frozenset({"", "0", "false", "no", "none", "null", "ok", "success", "no error", "no errors"})
_FAILED = frozenset(
    ["error", "exception", "fail", "failed", "failure", "false", "fault", "invalid", "rejected", "denied"]
)

_THROTTLE_TEXT = re.compile(r"\W{0,9}too many requests\b", re.IGNORECASE)
_FAILURE_TEXT = re.compile(
    r"(\W{0,9}|<\?xml[^>]{0,99}>\s*<)(an? )?"
    r"((unexpected|unhandled|unknown|internal|fatal|server|database|validation|request|was) ){0,3}"
    r"(error|exception|failed|failure|fault|too many requests|rate limit|throttled|unable to|could not|cannot)\b",
    re.IGNORECASE,
)
_BROKEN_FAILURE = re.compile(r"""["'](is)?success(ful)?["']\s*:\s*["']?(false|0)\b""", re.IGNORECASE)
_TRANSIENT_TEXT = re.compile(
    r"\b(try again|retry|temporar(y|ily)|time[d-]?[ -]?out|unavailable|deadlock(ed)?|overload(ed)?|too busy|is busy"
    r"|rate limit|throttled)\b",
    re.IGNORECASE,
)
_LONGEST_SEARCHED = 20_000
_MOST_ANSWERS = 100
_DEEPEST = 4


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
    if isinstance(parsed, dict | list):
        answers = _find_answers(parsed)
        return any(_means_failure(_normalize_key(key), value) for answer in answers for key, value in answer.items())
    if isinstance(parsed, str | bool):
        return parsed is False or _is_failed(parsed)
    start = text[:_LONGEST_SEARCHED]
    return parsed is None and (_FAILURE_TEXT.match(start) is not None or _BROKEN_FAILURE.search(start) is not None)


def says_throttled(parsed: Any, text: str) -> bool:
    """Return whether a body holds the words of the throttle answer where an error message would be."""
    if isinstance(parsed, dict):
        values = (value for key, value in parsed.items() if _normalize_key(key) in _TEXT_KEYS)
        return any(isinstance(value, str) and _THROTTLE_TEXT.match(value) for value in values)
    return _THROTTLE_TEXT.match(parsed if isinstance(parsed, str) else text) is not None


def says_transient(message: str) -> bool:
    """Return whether a failure's message says that another attempt may succeed."""
    return _TRANSIENT_TEXT.search(message) is not None


def _find_answers(parsed: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield the objects that the answer is, and those wrapped in it."""
    if depth > _DEEPEST:
        return
    if isinstance(parsed, list):
        for item in parsed[:_MOST_ANSWERS]:
            yield from _find_answers(item, depth + 1)
    elif isinstance(parsed, dict):
        yield parsed
        for key, value in parsed.items():
            if _normalize_key(key) in _WRAPPER_KEYS:
                yield from _find_answers(value, depth + 1)


def _means_failure(key: str, value: Any) -> bool:
    if key in _SUCCESS_KEYS:
        return str(value).strip().casefold() in _NO
    if key in _STATUS_KEYS:
        return re.fullmatch("[45][0-9]{2}", str(value).strip()) is not None or _is_failed(value)
    if key == "message":
        return isinstance(value, str) and _FAILURE_TEXT.match(value) is not None
    return key in _ERROR_KEYS and not _is_no_error(value)


def _is_failed(value: Any) -> bool:
    """Return whether a text is a word for a failure, or begins like an error message."""
    if not isinstance(value, str):
        return False
    return value.strip(" .!").casefold() in _FAILED or _FAILURE_TEXT.match(value) is not None


def _is_no_error(value: Any, depth: int = 0) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return depth < 5 and all(_is_no_error(item, depth + 1) for item in value)
    return not value or str(value).strip(" .!").casefold() in _NO_ERROR


def _normalize_key(key: str) -> str:
    return re.sub(r"[\s_-]", "", key).lower()
