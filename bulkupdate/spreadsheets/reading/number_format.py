"""An Excel number format code, taken apart.

Source: ECMA-376 part 1, 18.8.30 (number formats) and 18.8.31 (their codes).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    12: "# ?/?", 13: "# ??/??", 37: "#,##0;-#,##0", 38: "#,##0;-#,##0", 39: "#,##0.00;-#,##0.00",
    40: "#,##0.00;-#,##0.00", 41: "#,##0", 42: "$#,##0", 43: "#,##0.00", 44: "$#,##0.00", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
"""The formats that a file names by number alone."""

LOCAL_DATE = "local date"
"""Stands for a built-in date format: how it shows depends on the settings of the machine that opens the file."""

LOCAL_DATES = frozenset({*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)})

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[(?P<bracket>[^\]]*)\]|_(?P<blank>.)|\*(?P<fill>.)'
    r"|(?P<word>General|AM/PM|A/P)|(?P<exponent>E[+-])|(?P<letter>.)",
    re.DOTALL | re.IGNORECASE,
)


class FormatToken(NamedTuple):
    """A part of a format. `kind`: literal, letter (a sign with a meaning: 0 # ? . , % / d m y …), word, exponent,
    blank (room as wide as a sign), fill, elapsed (hours over 24), condition, colour."""

    kind: str
    text: str


def code_of(number: int, own_codes: dict[int, str]) -> str:
    """The code of a format by its number in the file; `own_codes` are those that the file spells out."""
    if number in own_codes:
        return own_codes[number]
    return LOCAL_DATE if number in LOCAL_DATES else BUILT_IN.get(number, "General")


def shows_all_as_is(code: str) -> bool:
    """Whether numbers show under this format just as they are."""
    return code in ("General", "@", "", "GENERAL")


def shows_integers_as_is(code: str) -> bool:
    """Whether whole numbers show under this format just as they are, but fractions may not."""
    return code in ("0", "0_)", "0_ ", "0;-0", "#0")


def is_date_format(code: str) -> bool:
    """Whether the format shows a date or a time."""
    if code == LOCAL_DATE:
        return True
    return any(token.kind == "elapsed" or _is_date_letter(token) for token in split_sections(code)[0])


@lru_cache(maxsize=512)
def split_sections(code: str) -> tuple[tuple[FormatToken, ...], ...]:
    """The sections of a format (for positive, negative, zero), each in its tokens."""
    sections: list[list[FormatToken]] = [[]]
    for match in _TOKEN.finditer(code):
        if match[0] == ";":
            sections.append([])
        else:
            sections[-1].append(_to_token(match))
    return tuple(tuple(section) for section in sections)


def _to_token(match: re.Match[str]) -> FormatToken:
    kind = match.lastgroup or "letter"
    text = match[kind]
    if kind == "bracket":
        return _read_bracket(text)
    if kind == "letter" and text in " $-+()!&'~{}:€£¥₹":
        return FormatToken("literal", text)
    return FormatToken("literal" if kind in ("quoted", "escaped") else kind, text)


def _read_bracket(inner: str) -> FormatToken:
    if inner.startswith("$"):
        return FormatToken("literal", inner[1:].partition("-")[0])
    if re.fullmatch(r"h+|m+|s+", inner, re.IGNORECASE):
        return FormatToken("elapsed", inner)
    return FormatToken("condition" if inner.startswith(("<", ">", "=")) else "colour", inner)


def _is_date_letter(token: FormatToken) -> bool:
    return token.kind == "letter" and token.text.lower() in "dmyhs"
