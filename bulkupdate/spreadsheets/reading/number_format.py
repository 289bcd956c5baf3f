"""Parse an Excel number format code.

Source: ECMA-376 part 1, 18.8.30 (number formats) and 18.8.31 (their codes).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0_);($#,##0)", 6: "$#,##0_);[Red]($#,##0)",
    7: "$#,##0.00_);($#,##0.00)", 8: "$#,##0.00_);[Red]($#,##0.00)", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    12: "# ?/?", 13: "# ??/??", 37: "#,##0_);(#,##0)", 38: "#,##0_);[Red](#,##0)", 39: "#,##0.00_);(#,##0.00)",
    40: "#,##0.00_);[Red](#,##0.00)", 41: '_(* #,##0_);_(* (#,##0);_(* "-"_);_(@_)',
    42: '_($* #,##0_);_($* (#,##0);_($* "-"_);_(@_)', 43: '_(* #,##0.00_);_(* (#,##0.00);_(* "-"??_);_(@_)',
    44: '_($* #,##0.00_);_($* (#,##0.00);_($* "-"??_);_(@_)', 48: "##0.0E+0", 49: "@",
}  # fmt: skip
"""The formats that files refer to only by number, as English Excel shows them."""

LOCAL_DATE = "local date"
"""Code of the built-in date formats: how they are displayed depends on the settings of the computer."""

LOCAL_DATES = frozenset({*range(14, 23), *range(27, 37), 45, 46, 47, *range(50, 59)})

LOCAL_NUMBER = "local number"
"""Code of the built-in formats that exist in some languages only."""

_LOCAL_NUMBERS = range(59, 82)

MAX_CODE = 255
"""Characters that Excel allows in a format code."""

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|\[(?P<bracket>[^\]]*)\]|_(?P<blank>.)|\*(?P<fill>.)'
    r"|(?P<general>General)|(?P<half_day>AM/PM|A/P)|(?P<exponent>E[+-])|(?P<date>y+|m+|d+|h+|s+)|(?P<sign>.)",
    re.DOTALL | re.IGNORECASE,
)
_SIGNS = {
    "0": "place", "#": "place", "?": "place", ".": "point", ",": "comma", "%": "percent", "/": "slash", "@": "text",
} | dict.fromkeys(" $-+()&'~{}:^<>=", "literal")  # fmt: skip
_COLOUR = re.compile(r"black|blue|cyan|green|magenta|red|white|yellow|color ?\d{1,2}", re.IGNORECASE)
_CONDITION = re.compile(r"(<=|<>|<|>=|>|=)-?\d+(\.\d+)?")
_LOCALE = re.compile(r"[0-9A-F]{1,4}|[a-z]{2,3}(-[a-z]{2,4})?", re.IGNORECASE)


class FormatToken(NamedTuple):
    """A part of a format.

    `kind`: place (0 # ?), point, comma, percent, slash, text (@), general, exponent, date, half_day, elapsed (hours
    over 24), local (a date as the computer displays it), condition, colour, locale, literal, blank (as wide as a
    character), fill (repeated over the cell's width), unknown.
    """

    kind: str
    text: str


Section = tuple[FormatToken, ...]


def code_of(number: int, own_codes: dict[int, str]) -> str:
    """Return the code of a format by its number in the file; `own_codes` are those that the file defines."""
    if number in own_codes:
        return own_codes[number]
    if number in _LOCAL_NUMBERS:
        return LOCAL_NUMBER
    return LOCAL_DATE if number in LOCAL_DATES else BUILT_IN.get(number, "General")


def shows_all_as_is(code: str) -> bool:
    """Return whether this format displays numbers unchanged."""
    return code in ("General", "@", "", "GENERAL")


def shows_integers_as_is(code: str) -> bool:
    """Return whether this format displays whole numbers unchanged, though perhaps not fractions."""
    return code in ("0", "0_)", "0_ ", "0;-0", "#0")


def shows_texts_as_is(code: str) -> bool:
    """Return whether this format displays texts unchanged, except for blanks at the cell's edges."""
    if code in ("General", "@"):
        return True
    section = text_section(code)
    return section is None or [token.kind for token in section if not is_unseen(token)] == ["text"]


def is_unseen(token: FormatToken) -> bool:
    """Return whether the token shows nothing, or only blanks."""
    return token.kind in ("blank", "colour", "locale", "condition") or token == FormatToken("fill", " ")


def has_kind(section: Sequence[FormatToken], *kinds: str) -> bool:
    """Return whether the section has a token of one of these kinds."""
    return any(token.kind in kinds for token in section)


def number_sections(code: str) -> tuple[Section, ...]:
    """Return the sections for numbers: positive, negative, zero, or according to their conditions."""
    sections = _split_sections(code)
    if len(sections) > 1 and (len(sections) > 3 or has_kind(sections[-1], "text")):
        return sections[:-1]
    return sections


def text_section(code: str) -> Section | None:
    """Return the section for texts: the fourth, or a last one with an @. None if texts are displayed unchanged."""
    sections = _split_sections(code)
    return sections[-1] if len(sections) > 3 or has_kind(sections[-1], "text") else None


@lru_cache(maxsize=512)
def _split_sections(code: str) -> tuple[Section, ...]:
    if code == LOCAL_DATE:
        return ((FormatToken("local", ""),),)
    sections: list[list[FormatToken]] = [[]]
    for match in _TOKEN.finditer(code[: MAX_CODE + 1]):
        if match[0] == ";":
            sections.append([])
        else:
            sections[-1].extend(_read_tokens(match))
    if code == LOCAL_NUMBER or len(code) > MAX_CODE or len(sections) > 4:
        return ((FormatToken("unknown", code),),)
    return tuple(tuple(section) for section in sections)


def _read_tokens(match: re.Match[str]) -> list[FormatToken]:
    kind = match.lastgroup or "sign"
    text = match[kind]
    if kind == "bracket":
        return _read_bracket(text)
    if kind == "sign":
        return [FormatToken(_SIGNS.get(text, "unknown" if text.isascii() else "literal"), text)]
    return [FormatToken("literal" if kind in ("quoted", "escaped") else kind, text)]


def _read_bracket(inner: str) -> list[FormatToken]:
    """Return the tokens for the text in brackets.

    A locale with more than four digits stands for other digits or another calendar; F800 and F400 are the computer's
    own long date and time.
    """
    if inner.startswith("$"):
        symbol, dash, locale = inner[1:].partition("-")
        is_known = not dash or (_LOCALE.fullmatch(locale) and locale.upper() not in ("F800", "F400"))
        tokens = [FormatToken("literal", symbol)] if symbol else []
        return [*tokens, FormatToken("locale" if is_known else "unknown", locale)]
    if re.fullmatch(r"h+|m+|s+", inner, re.IGNORECASE):
        return [FormatToken("elapsed", inner)]
    if _CONDITION.fullmatch(inner):
        return [FormatToken("condition", inner)]
    return [FormatToken("colour" if _COLOUR.fullmatch(inner) else "unknown", inner)]
