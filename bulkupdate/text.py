"""Text on its way to a user: characters that mislead, texts that are too long, counts of things."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

_CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def is_control(character: str) -> bool:
    """Return whether a character is invisible or changes its surroundings: controls, line ends, direction marks."""
    return unicodedata.category(character) in _CONTROL_CATEGORIES


def replace_controls(text: str, replace: Callable[[str], str]) -> str:
    """Return the text with every control character (`is_control`) replaced by what `replace` makes of it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(replace(character) if is_control(character) else character for character in text)


def fold_whitespace(text: str) -> str:
    """Return the text on one line, each run of white space and controls as one blank."""
    return " ".join(replace_controls(text, lambda _: " ").split())


def truncate(text: str, length: int) -> str:
    """Return the text, cut to `length` characters with an ellipsis as the last one if it is longer."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def pluralize(count: int, noun: str) -> str:
    """Return the count with its noun: `1 row`, `2 rows`, `1,234 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
