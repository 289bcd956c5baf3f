"""Find the service's own sentence in an error body, and make it safe to show.

Pure. The places it may be in are in `docs/api.md`, section Error bodies.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

from bulkupdate.sellercloud.response_body import decode_text, is_html
from bulkupdate.text import fold_whitespace, truncate

MESSAGE_KEYS = ("errormessage", "exceptionmessage", "message", "error", "title", "error_description")
"""The keys that may hold the sentence, in the order they are tried, in lower case."""

MESSAGE_MAPS = ("modelstate", "errors")
"""The keys that may hold sentences by field."""

LONGEST_SEARCHED = 8_000
"""Characters of a body that are searched; far more than are kept, as white space is folded."""

LONGEST_MESSAGE = 300
"""Characters of a message that are kept."""


def find_message(body: bytes, parsed: Any) -> str:
    """Return the service's own words, whole and unchanged; empty if it gave none.

    `parsed` is the body as JSON. The known keys come first, then the maps by field (which are added, as ASP.NET's
    sentence alone says only that something is wrong), then the text itself.
    """
    if isinstance(parsed, str):
        return parsed
    if isinstance(parsed, dict):
        found = list(_find_sentences(parsed, 0))
        if found:
            return found[0] if len(found) == 1 else ". ".join(sentence.rstrip(". ") for sentence in found)
    text = decode_text(body)
    return _describe_html(text) if is_html(body) else text


def sanitize_message(text: str) -> str:
    """Return text from outside on one line, without control and direction characters, cut to `LONGEST_MESSAGE`."""
    return truncate(fold_whitespace(text[: LONGEST_MESSAGE * 20]), LONGEST_MESSAGE)


def host_of_redirect(location: str) -> str:
    """Return the host of a redirect's target, to be shown: the path may contain a token."""
    match = re.match(r"(?:https?:)?//(?:[^/@]*@)?([^/?#]+)", location, re.IGNORECASE)
    return sanitize_message(match[1]) if match else "another path of the same host"


def _find_sentences(parsed: Mapping[str, Any], depth: int) -> Iterator[str]:
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
        return ", ".join(filter(None, (_as_text(item, depth + 1) for item in value[:5]))) if depth < 3 else ""
    if isinstance(value, dict):
        return ". ".join(_find_sentences(value, depth + 1)) if depth < 3 else ""
    return ""


def _describe_html(text: str) -> str:
    title = re.search(r"<title[^>]*>([^<]{1,1000})</title", text[:20_000], re.IGNORECASE)
    return f"an HTML page: {unescape(title[1]).strip()}" if title else "an HTML page"
