"""What the body of an answer says about success: the service is known to report failures with status 200.

Pure. A body that says nothing of it, such as a customer's record, is taken for what its status says.
"""

from __future__ import annotations

import re
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
_NOTHING = frozenset({"", "0", "false", "no", "none", "null", "ok", "success", "no error", "no errors"})

_THROTTLE_TEXT = re.compile(r"\W{0,9}too many requests\b", re.IGNORECASE)
_FAILURE_TEXT = re.compile(r"\W{0,9}(error|exception|failed|failure|too many requests)\b", re.IGNORECASE)
_BROKEN_FAILURE = re.compile(r'"(is)?success(ful)?"\s*:\s*"?(false|0)\b', re.IGNORECASE)
_TRANSIENT_TEXT = re.compile(
    r"\b(try again|retry|temporar(y|ily)|time[d-]?[ -]?out|unavailable|deadlock(ed)?|overload(ed)?|too busy|is busy)\b",
    re.IGNORECASE,
)
_LONGEST_LOOKED_AT = 20_000


def says_failure(parsed: Any, text: str) -> bool:
    """Return whether a body says that the request failed. `parsed` is its JSON, None for none; `text` all of it."""
    if isinstance(parsed, dict):
        return any(_tells_failure(_plain(key), value) for key, value in parsed.items())
    if isinstance(parsed, str):
        return _FAILURE_TEXT.match(parsed) is not None
    start = text[:_LONGEST_LOOKED_AT]
    return parsed is None and (_FAILURE_TEXT.match(start) is not None or _BROKEN_FAILURE.search(start) is not None)


def says_throttled(parsed: Any, text: str) -> bool:
    """Return whether a body has the words of the service's throttle answer in the place of an error."""
    if isinstance(parsed, dict):
        values = (value for key, value in parsed.items() if _plain(key) in _TEXT_KEYS)
        return any(isinstance(value, str) and _THROTTLE_TEXT.match(value) for value in values)
    return _THROTTLE_TEXT.match(parsed if isinstance(parsed, str) else text) is not None


def says_transient(message: str) -> bool:
    """Return whether the words of a failure say that another try may go well."""
    return _TRANSIENT_TEXT.search(message) is not None


def _tells_failure(key: str, value: Any) -> bool:
    if key in _SUCCESS_KEYS:
        return str(value).strip().casefold() in _NO
    if key in _STATUS_KEYS:
        return isinstance(value, int) and 400 <= value < 600
    return key in _ERROR_KEYS and not _is_nothing(value)


def _is_nothing(value: Any, depth: int = 0) -> bool:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return depth < 5 and all(_is_nothing(each, depth + 1) for each in value)
    return not value or str(value).strip(" .!").casefold() in _NOTHING


def _plain(key: str) -> str:
    return re.sub(r"[\s_-]", "", key).lower()
