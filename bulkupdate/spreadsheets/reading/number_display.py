"""What a person sees of a number under a number format, as far as that can be known without Excel.

What depends on the settings of the machine (built-in dates, names of months) or is too elaborate (fractions, scaling)
is said to be unknown, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from bulkupdate.spreadsheets.reading.date_display import show_date
from bulkupdate.spreadsheets.reading.number_format import FormatToken, is_date_format, shows_all_as_is, split_sections

MOST_DIGITS = 15
"""Significant digits that Excel keeps."""

_EXACT = Context(prec=700)
"""Room for the digits of any double."""

_MONEY = re.compile(r"[$€£¥₹\s\xa0\u202f,()]|EUR|USD|GBP|CHF|kr\.?|zł|Kč", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DisplayedNumber:
    """`text` is what a person sees, None where that cannot be known. `plain` is the number without separators,
    currency and the like, or a date in ISO form. `is_rounded` says that the format hides digits."""

    text: str | None
    plain: str
    is_rounded: bool = False
    is_date: bool = False
    is_scientific: bool = False

    @property
    def is_money(self) -> bool:
        """Whether the number wears no more than thousands separators, currency, or brackets for a negative one."""
        if self.text is None:
            return False
        bare = _MONEY.sub("", self.text)
        return self.plain in (bare, f"-{bare}") or (bare == "-" and Decimal(self.plain) == 0)


def format_general(number: float) -> str:
    """The digits that Excel keeps, without exponent: `163`, `0.1`, `5550001234`."""
    if number == 0:
        return "0"
    text = f"{number:.{MOST_DIGITS}g}"
    return format(Decimal(text), "f") if "e" in text else text


def show_number(number: float, code: str, *, is_1904: bool = False) -> DisplayedNumber:
    """What the number shows as. `is_1904` tells that the file counts days from 1904 instead of 1900."""
    if shows_all_as_is(code):
        return DisplayedNumber(format_general(number), format_general(number))
    if is_date_format(code):
        text, iso = show_date(number, code, is_1904=is_1904)
        return DisplayedNumber(text, iso, is_date=True)
    section, sign = _pick_section(code, number)
    if section is None:
        return DisplayedNumber(None, format_general(number))
    return _show_section(Decimal(format_general(number)), sign, section)


def _pick_section(code: str, number: float) -> tuple[Sequence[FormatToken] | None, str]:
    """The section that a number falls into, and the sign before it. None where the conditions are beyond us."""
    sections = split_sections(code)
    conditions = [token.text for section in sections for token in section if token.kind == "condition"]
    if conditions:
        return _pick_by_condition(sections, conditions, number), ""
    if number < 0 and len(sections) > 1:
        return sections[1], ""
    if number == 0 and len(sections) > 2:
        return sections[2], ""
    return sections[0], "-" if number < 0 else ""


def _pick_by_condition(
    sections: Sequence[Sequence[FormatToken]], conditions: Sequence[str], number: float
) -> Sequence[FormatToken] | None:
    """Only the form of Excel's own phone formats: one condition, one section for the rest, no negative numbers."""
    match = re.fullmatch(r"(<=|<|>=|>|=)(\d+)", conditions[0])
    if not match or len(conditions) != 1 or len(sections) != 2 or number < 0:
        return None
    limit = float(match[2])
    holds = {
        "<": number < limit,
        "<=": number <= limit,
        "=": number == limit,
        ">": number > limit,
        ">=": number >= limit,
    }
    return sections[0] if holds[match[1]] else sections[1]


def _show_section(number: Decimal, sign: str, section: Sequence[FormatToken]) -> DisplayedNumber:
    plain = format(number, "f")
    letters = "".join(token.text for token in section if token.kind == "letter")
    if any(token.kind == "exponent" for token in section):
        return DisplayedNumber(None, plain, is_scientific=True)
    if any(token.kind == "word" for token in section):
        return DisplayedNumber(sign + _join(section, format(abs(number), "f")), plain)
    if not re.search("[0#?]", letters):
        return DisplayedNumber(_join(section, ""), plain, is_rounded=True)
    if re.search(r"[^0#?.,%]|,(\.|$|%)|\..*\.", letters):
        return DisplayedNumber(None, plain)
    return _show_digits(number, sign, section)


def _join(section: Sequence[FormatToken], number: str) -> str:
    texts = {"word": number, "blank": " ", "fill": "", "colour": ""}
    return "".join(texts.get(token.kind, token.text) for token in section).strip()


def _show_digits(number: Decimal, sign: str, section: Sequence[FormatToken]) -> DisplayedNumber:
    """Digits put into their places: `0`, `0.00`, `#,##0`, `0%`, `(000) 000-0000`."""
    letters = "".join(token.text for token in section if token.kind == "letter")
    whole_places, _, fraction_places = re.sub("[,%]", "", letters).partition(".")
    scaled = abs(number).scaleb(2 * letters.count("%"), _EXACT)
    rounded = scaled.quantize(Decimal(1).scaleb(-len(fraction_places)), ROUND_HALF_UP, _EXACT)
    whole, _, fraction = format(rounded, "f").partition(".")
    whole = whole.lstrip("0").rjust(whole_places.count("0"), "0")
    fraction = _drop_optional(fraction, fraction_places)
    text = sign + _fill(section, f"{int(whole):,}" if "," in letters and whole else whole, fraction)
    undecorated = f"{whole or '0'}.{fraction}" if fraction else whole or "0"
    is_percent = "%" in letters
    plain = format(number, "f") if is_percent else ("-" if number < 0 else "") + undecorated
    return DisplayedNumber(text, plain, is_rounded=rounded != scaled)


def _drop_optional(fraction: str, places: str) -> str:
    kept = len(fraction)
    while kept and places[kept - 1] != "0" and fraction[kept - 1] == "0":
        kept -= 1
    return fraction[:kept]


def _fill(section: Sequence[FormatToken], whole: str, fraction: str) -> str:
    """The section with digits at the places of its 0, # and ?: whole ones from the right, the first takes the rest."""
    point = next((place for place, token in enumerate(section) if token == FormatToken("letter", ".")), len(section))
    digits = list(whole)
    shown: list[str] = []
    places = [place for place in range(point) if _is_place(section[place])]
    has_separators = "," in whole
    for place in reversed(range(point)):
        token = section[place]
        if not _is_place(token):
            shown.append(_sign_of(token))
        elif place == places[0] or has_separators:
            shown.append("".join(digits))
            digits = []
        elif digits:
            shown.append(digits.pop())
    after = "".join(_sign_of(token) for token in section[point + 1 :] if not _is_place(token))
    return ("".join(reversed(shown)) + (f".{fraction}" if fraction else "") + after).strip()


def _is_place(token: FormatToken) -> bool:
    return token.kind == "letter" and token.text in "0#?"


def _sign_of(token: FormatToken) -> str:
    if token.kind == "blank":
        return " "
    return token.text if token.kind == "literal" or token.text == "%" else ""
