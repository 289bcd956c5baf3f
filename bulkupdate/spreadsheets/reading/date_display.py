"""What a person sees of a date that a spreadsheet keeps as a number of days."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bulkupdate.spreadsheets.reading.number_format import LOCAL_DATE, FormatToken, split_sections

LAST_DAY = 2_958_465
"""31 December 9999 in the count from 1900."""

DAYS_1900_TO_1904 = 1462

_PARTS = {
    "yyyy": "%Y", "yy": "%y", "mm": "%m", "dd": "%d", "hh": "%H", "minutes": "%M", "ss": "%S",
}  # fmt: skip


def show_date(days: float, code: str, *, is_1904: bool) -> tuple[str | None, str]:
    """The date as it is seen, None where that depends on the machine, and as ISO 8601 without what is zero.

    A number that is no date in Excel (negative, after 9999) gives None and its digits.
    """
    days += DAYS_1900_TO_1904 if is_1904 else 0
    if not 0 <= days <= LAST_DAY + 1:
        return None, f"{days:.15g}"
    moment = _to_moment(days)
    return (None if code == LOCAL_DATE else _render(moment, split_sections(code)[0])), _to_iso(moment, days)


def _to_moment(days: float) -> datetime:
    """Excel takes 1900 for a leap year: its days before 1 March 1900 are one further on."""
    start = datetime(1899, 12, 30) if days >= 60 else datetime(1899, 12, 31)
    return start + timedelta(seconds=round(days * 86_400))


def _to_iso(moment: datetime, days: float) -> str:
    if days < 1:
        return f"{moment:%H:%M:%S}"
    return (
        f"{moment:%Y-%m-%d}"
        if (moment.hour, moment.minute, moment.second) == (0, 0, 0)
        else f"{moment:%Y-%m-%d %H:%M:%S}"
    )


def _render(moment: datetime, section: tuple[FormatToken, ...]) -> str | None:
    """Formats of figures alone; names of months and days, halves of the day and lengths of time are not tried."""
    if any(token.kind in ("word", "elapsed", "exponent", "condition") for token in section):
        return None
    marked = "".join(token.text.lower() if token.kind == "letter" else "\0" + token.text for token in section)
    if "\0" in "".join(token.text for token in section):
        return None
    pieces = re.findall(r"y+|m+|d+|h+|s+|\0?.", marked, re.DOTALL)
    shown = [_render_piece(moment, _name_minutes(pieces, place)) for place in range(len(pieces))]
    return None if None in shown else "".join(filter(None, shown)).strip()


def _name_minutes(pieces: list[str], place: int) -> str:
    """An m is for minutes after hours or before seconds, else for the month."""
    piece = pieces[place]
    if not piece.startswith("m"):
        return piece
    units = [each[0] for each in pieces if each[0] in "ymdhs"]
    at = sum(1 for each in pieces[:place] if each[0] in "ymdhs")
    is_minutes = (at > 0 and units[at - 1] == "h") or (at + 1 < len(units) and units[at + 1] == "s")
    return "minutes" if is_minutes and piece == "mm" else piece


def _render_piece(moment: datetime, piece: str) -> str | None:
    if piece in _PARTS:
        return moment.strftime(_PARTS[piece])
    if piece in ("d", "m", "h"):
        return str({"d": moment.day, "m": moment.month, "h": moment.hour}[piece])
    if piece.startswith("\0"):
        return piece[1:]
    return piece if piece in "/-., " else None
