"""Format a date as a user sees it, from the number of days that a spreadsheet stores."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from itertools import pairwise
from math import floor

from bulkupdate.spreadsheets.reading.number_format import FormatToken, Section, has_kind

LAST_DAY = 2_958_465
"""31 December 9999, counted from 1900."""

FIRST_SURE_DAY = 61
"""1 March 1900: Excel treats 1900 as a leap year, other programs do not."""

DAYS_1900_TO_1904 = 1462
SECONDS_A_DAY = 86_400

_PARTS = {
    "yyyy": "%Y", "yy": "%y", "mm": "%m", "dd": "%d", "hh": "%H", "MM": "%M", "ss": "%S",
}  # fmt: skip

_AS_IS = frozenset({"literal", "point", "comma", "slash"})
_UNSEEN = frozenset({"colour", "locale", "fill"})

_PLAIN_LANGUAGES = frozenset({
    0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0E, 0x10, 0x13, 0x14, 0x15, 0x16, 0x18, 0x19, 0x1B, 0x1D, 0x1F,
    0x24,
})  # fmt: skip
"""Windows language numbers whose dates have European digits and the Gregorian calendar."""

_LANGUAGE_BITS = 0x3FF
_ENGLISH = 0x09


def show_date(days: float, section: Section, *, is_1904: bool) -> tuple[str | None, str]:
    """Return the date as displayed, None if that depends on the computer, and as ISO 8601 without a time of zero.

    A number that is not a date in Excel (negative, after 9999) gives None and its digits.
    """
    days += DAYS_1900_TO_1904 if is_1904 else 0
    if not 0 <= days * SECONDS_A_DAY < (LAST_DAY + 1) * SECONDS_A_DAY - 0.5:
        return None, f"{days:.15g}"
    moment = _to_moment(days, round(days * SECONDS_A_DAY))
    return _show(days, moment, section), _to_iso(moment, days)


def _show(days: float, moment: datetime, section: Section) -> str | None:
    """Return a date as displayed, None if that is not certain, perhaps because it is between two seconds."""
    is_calendar = any(token.kind == "date" and token.text[0] in "ymd" for token in _name_minutes(list(section)))
    if is_calendar and days < FIRST_SURE_DAY:
        return None
    text = _render(moment, section)
    seconds = days * SECONDS_A_DAY
    is_between = abs(seconds - round(seconds)) > 0.001
    return None if is_between and _render(_to_moment(days, floor(seconds)), section) != text else text


def _to_moment(days: float, seconds: int) -> datetime:
    """Return the date of a count of days, one later before 1 March 1900, as Excel treats 1900 as a leap year."""
    start = datetime(1899, 12, 30) if days >= FIRST_SURE_DAY - 1 else datetime(1899, 12, 31)
    return start + timedelta(seconds=seconds)


def _to_iso(moment: datetime, days: float) -> str:
    if days < 1:
        return f"{moment:%H:%M:%S}"
    return (
        f"{moment:%Y-%m-%d}"
        if (moment.hour, moment.minute, moment.second) == (0, 0, 0)
        else f"{moment:%Y-%m-%d %H:%M:%S}"
    )


def _render(moment: datetime, section: Section) -> str | None:
    """Return a date under a format of digits; None for names of months and days, am/pm and durations."""
    locales = [token.text for token in section if token.kind == "locale"]
    if not all(map(_is_plain_locale, locales)):
        return None
    if has_kind(section, "slash") and not all(map(_is_english, locales)):
        return None  # the slash stands for the separator of the language
    if has_kind(section, "condition"):
        return None
    pieces = _name_minutes([token for token in section if token.kind not in _UNSEEN])
    if _has_month_after_seconds(pieces):
        return None  # minutes in some programs, the month in others
    shown = [_render_piece(moment, piece) for piece in pieces]
    return None if None in shown else "".join(filter(None, shown)).strip()


def _is_plain_locale(name: str) -> bool:
    if re.fullmatch(r"[0-9A-Fa-f]{1,4}", name):
        return int(name, 16) & _LANGUAGE_BITS in _PLAIN_LANGUAGES
    return name.lower() == "en-us" or not name


def _is_english(name: str) -> bool:
    return name.lower() in ("", "en-us") or int(name, 16) & _LANGUAGE_BITS == _ENGLISH


def _name_minutes(tokens: list[FormatToken]) -> list[FormatToken]:
    """Rename each `m` that means minutes, after hours or before seconds, to `M`; any other is the month."""
    units = [index for index, token in enumerate(tokens) if token.kind == "date"]
    named = [FormatToken(token.kind, token.text.lower()) if token.kind == "date" else token for token in tokens]
    for number, index in enumerate(units):
        before = named[units[number - 1]].text if number else ""
        after = named[units[number + 1]].text if number + 1 < len(units) else ""
        if named[index].text in ("m", "mm") and (before.startswith("h") or after.startswith("s")):
            named[index] = FormatToken("date", named[index].text.upper())
    return named


def _has_month_after_seconds(pieces: list[FormatToken]) -> bool:
    units = [piece.text for piece in pieces if piece.kind == "date"]
    return any(unit[0] == "m" and before[0] == "s" for before, unit in pairwise(units))


def _render_piece(moment: datetime, piece: FormatToken) -> str | None:
    if piece.kind == "date":
        return _render_part(moment, piece.text)
    if piece.kind == "blank":
        return " "
    return piece.text if piece.kind in _AS_IS else None


def _render_part(moment: datetime, part: str) -> str | None:
    if part in _PARTS:
        return moment.strftime(_PARTS[part])
    numbers = {"d": moment.day, "m": moment.month, "h": moment.hour, "M": moment.minute, "s": moment.second}
    return str(numbers[part]) if part in numbers else None
