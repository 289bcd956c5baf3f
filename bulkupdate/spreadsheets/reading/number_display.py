"""Show a number or a text under a number format as a user sees it, as far as that can be known without Excel.

A display that depends on the settings of the computer (built-in dates, names of months) or is too complex (fractions)
counts as unknown and is never guessed. Separators are those of English Excel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from bulkupdate.spreadsheets.reading.date_display import show_date
from bulkupdate.spreadsheets.reading.digit_places import fill_in, has_places, read_layout, show_decoration
from bulkupdate.spreadsheets.reading.number_format import (
    FormatToken,
    Section,
    has_kind,
    is_unseen,
    number_sections,
    shows_all_as_is,
    text_section,
)

MAX_DIGITS = 15
"""Significant digits that Excel keeps."""

MAX_GENERAL = 11
"""Characters of a number that Excel shows under General."""

_MONEY = re.compile(r"[$€£¥₹\s\xa0\u202f,()]|EUR|USD|GBP|CHF|kr\.?|zł|Kč", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DisplayedNumber:
    """`text` is what the user sees, None if that is not certain.

    `plain` is the number without separators, currency and the like, or a date in ISO form. `is_rounded`: the format
    hides digits.
    """

    text: str | None
    plain: str
    is_rounded: bool = False
    is_date: bool = False
    is_scientific: bool = False

    @property
    def is_money(self) -> bool:
        """Whether the text adds only thousands separators, currency, or brackets for a negative number."""
        if self.text is None:
            return False
        bare = re.sub(r"^(-?)\.", r"\g<1>0.", _MONEY.sub("", self.text)).removesuffix(".")
        return self.plain in (bare, f"-{bare}") or (bare == "-" and Decimal(self.plain) == 0)


def format_general(number: float) -> str:
    """Return the digits that Excel keeps, without an exponent: `163`, `0.1`, `5550001234`."""
    if number == 0:
        return "0"
    text = f"{number:.{MAX_DIGITS}g}"
    return format(Decimal(text), "f") if "e" in text else text


def show_number(number: float, code: str, *, is_1904: bool = False) -> DisplayedNumber:
    """Return how a number is displayed. `is_1904`: the file counts days from 1904 instead of 1900."""
    plain = format_general(number)
    if shows_all_as_is(code):
        return DisplayedNumber(plain, plain)
    section, sign = _pick_section(number_sections(code), number)
    is_known = section is not None and not has_kind(section, "unknown", "text") and not _has_wide_fill(section)
    if section is not None and has_kind(section, "date", "half_day", "elapsed", "local"):
        text, iso = show_date(number, section, is_1904=is_1904)
        return DisplayedNumber(text if is_known else None, iso, is_date=True)
    if section is None or not is_known:
        return DisplayedNumber(None, plain)
    return _show_section(Decimal(plain), sign, section)


def show_text(text: str, code: str) -> str | None:
    """Return how a text is displayed, None if its format hides it or if that is not certain."""
    section = text_section(code)
    if section is None or not text:
        return text
    if not has_kind(section, "text") or any(token.kind not in ("text", "literal") for token in _seen(section)):
        return None
    return "".join(text if token.kind == "text" else token.text for token in _seen(section))


def _seen(section: Section) -> list[FormatToken]:
    return [token for token in section if not is_unseen(token)]


def _has_wide_fill(section: Section) -> bool:
    """Return whether a character other than a blank is repeated over the cell's width."""
    return any(token.kind == "fill" and token.text != " " for token in section)


def _pick_section(sections: tuple[Section, ...], number: float) -> tuple[Section | None, str]:
    """Return the section that applies to a number, and the sign before it. None if the conditions are not supported."""
    if any(has_kind(section, "condition") for section in sections):
        return _pick_by_condition(sections, number), ""
    if number < 0 and len(sections) > 1:
        return sections[1], ""
    if number == 0 and len(sections) > 2:
        return sections[2], ""
    return sections[0], "-" if number < 0 else ""


def _pick_by_condition(sections: tuple[Section, ...], number: float) -> Section | None:
    """Return the section that applies; None for a negative number, whose sign depends on the program."""
    *conditional, rest = sections
    conditions = [[token.text for token in section if token.kind == "condition"] for section in conditional]
    if number < 0 or has_kind(rest, "condition") or any(len(texts) != 1 for texts in conditions):
        return None
    holding = (section for section, texts in zip(conditional, conditions, strict=True) if _holds(texts[0], number))
    return next(holding, rest)


def _holds(condition: str, number: float) -> bool:
    comparison = condition.rstrip("-0123456789.")
    limit = float(condition[len(comparison) :])
    return {
        "<": number < limit,
        "<=": number <= limit,
        "=": number == limit,
        "<>": number != limit,
        ">": number > limit,
        ">=": number >= limit,
    }[comparison]


def _show_section(number: Decimal, sign: str, section: Section) -> DisplayedNumber:
    plain = format(number, "f")
    if has_kind(section, "exponent"):
        return DisplayedNumber(None, plain, is_scientific=True)
    if has_kind(section, "slash"):
        return DisplayedNumber(None, plain)
    if has_kind(section, "general"):
        return _show_general(number, sign, section)
    if not has_places(section):
        return _show_literals(plain, sign, section)
    return _show_digits(number, sign, section)


def _show_general(number: Decimal, sign: str, section: Section) -> DisplayedNumber:
    plain = format(number, "f")
    digits = format(abs(number), "f")
    if has_kind(section, "place", "point", "comma", "percent") or len(digits) > MAX_GENERAL:
        return DisplayedNumber(None, plain)
    return DisplayedNumber(_put_sign(sign, _join(section, digits)), plain)


def _show_literals(plain: str, sign: str, section: Section) -> DisplayedNumber:
    """Return the display under a section that shows the same for every number."""
    if has_kind(section, "point", "comma") or (sign and section):
        return DisplayedNumber(None, plain)
    return DisplayedNumber(_join(section, "").strip(), plain, is_rounded=True)


def _put_sign(sign: str, text: str) -> str | None:
    """Return the text with its sign; None if there are blanks between them, which not all programs show."""
    return None if sign and text[:1].isspace() else f"{sign}{text}".strip()


def _join(section: Section, number: str) -> str:
    return "".join(number if token.kind == "general" else show_decoration(token) for token in section)


def _show_digits(number: Decimal, sign: str, section: Section) -> DisplayedNumber:
    plain = format(number, "f")
    layout = read_layout(section)
    if layout is None:
        return DisplayedNumber(None, plain)
    filled = fill_in(abs(number), layout)
    if filled is None:
        return DisplayedNumber(None, plain)
    if not (layout.percents or layout.scale):
        plain = ("-" if number < 0 else "") + filled.digits
    return DisplayedNumber(_put_sign(sign, filled.text), plain, is_rounded=filled.is_rounded)
