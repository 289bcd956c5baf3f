"""Put the digits of a number into the places of its format: `0#########`, `#,##0.00`, `(000) 000-0000`.

Source: ECMA-376 part 1, 18.8.31. A 0 always shows a digit, a ? a digit or a blank, a # a digit or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal

from bulkupdate.spreadsheets.reading.number_format import FormatToken, Section, has_kind

MAX_DECIMALS = 30
MAX_PERCENTS = 4

_EXACT = Context(prec=700)
"""Room for the digits of any double with the decimals and percent signs above."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A section's places.

    `whole` and `decimals` are its tokens before and after the point. `thousands`: the digits are separated. The number
    is divided by a thousand `scale` times.
    """

    whole: Section
    decimals: Section
    has_point: bool
    thousands: bool
    scale: int
    percents: int


@dataclass(frozen=True, slots=True)
class Filled:
    """A section filled in.

    `digits` is the number shown, without any other characters. `is_rounded`: digits of the number are hidden.
    """

    text: str
    digits: str
    is_rounded: bool


def read_layout(section: Section) -> Layout | None:
    """Return the places of a section, None if its display is not certain."""
    section = tuple(token for token in section if token.kind not in ("colour", "locale", "condition"))
    places = [place for place, token in enumerate(section) if token.kind in ("place", "point")]
    last = places[-1]
    point = next((place for place in places if section[place].kind == "point"), len(section))
    scaling = _count_commas(section, last + 1)
    if last == point:  # only the point: commas may follow it, with no digit after them
        scaling = 0
    before = _count_commas_before(section, point) if point < len(section) else 0
    end = point - before if point < len(section) else last + 1
    whole_commas = [place for place in range(end) if section[place].kind == "comma"]
    kinds = [token.kind for token in section]
    if kinds.count("comma") != scaling + before + len(whole_commas) or kinds.count("point") > 1:
        return None
    if whole_commas and not _are_separators(section, whole_commas, end):
        return None
    layout = Layout(
        whole=tuple(token for token in section[:point] if token.kind != "comma"),
        decimals=tuple(token for token in section[point + 1 :] if token.kind != "comma"),
        has_point=point < len(section),
        thousands=bool(whole_commas),
        scale=scaling + before,
        percents=kinds.count("percent"),
    )
    is_sane = sum(map(_is_place, layout.decimals)) <= MAX_DECIMALS and layout.percents <= MAX_PERCENTS
    return layout if is_sane and not _has_text_before_point(layout) and not _has_text_after_point(layout) else None


def _has_text_before_point(layout: Layout) -> bool:
    """Return whether there is text but no place before the point: programs put the digits before or after the text."""
    return not any(map(_is_place, layout.whole)) and any(map(show_decoration, layout.whole))


def _has_text_after_point(layout: Layout) -> bool:
    """Return whether there is text between the point and the first decimal: programs move it behind the digits."""
    return any(map(_is_place, layout.decimals)) and bool(show_decoration(layout.decimals[0]))


def fill_in(number: Decimal, layout: Layout) -> Filled | None:
    """Fill the digits of a number of 0 or more into their places, rounded half up as in Excel.

    None if the display is not certain: a zero would have to fill an optional place (5 under `0##` is 05 in some
    programs and 005 in others; 5 under `0.?0` is 5.00 or 5. 0).
    """
    count = sum(map(_is_place, layout.decimals))
    scaled = number.scaleb(2 * layout.percents - 3 * layout.scale, _EXACT)
    rounded = scaled.quantize(Decimal(1).scaleb(-count), ROUND_HALF_UP, _EXACT)
    whole, _, fraction = format(rounded, "f").partition(".")
    whole = whole.lstrip("0")
    places = [token.text for token in layout.whole if _is_place(token)]
    padded = places[places.index("0") : max(0, len(places) - len(whole))] if "0" in places else []
    decimals = [token.text for token in layout.decimals if _is_place(token)]
    if set(padded) - {"0"} or _is_doubtful(decimals[len(fraction.rstrip("0")) :]):
        return None
    whole = "0" * len(padded) + whole
    fraction = _drop_optional(fraction, decimals)
    text = _fill_whole(whole, layout) + ("." if layout.has_point else "") + _fill_decimals(fraction, layout.decimals)
    digits = (whole or "0") + (f".{fraction}" if fraction else "")
    return Filled(text, digits, rounded != scaled or bool(layout.scale and number))


def show_decoration(token: FormatToken) -> str:
    """Return what a token shows that is not a place for a digit."""
    if token.kind == "blank":
        return " "
    return token.text if token.kind in ("literal", "percent") else ""


def _is_place(token: FormatToken) -> bool:
    return token.kind == "place"


def _count_commas(section: Section, start: int) -> int:
    end = start
    while end < len(section) and section[end].kind == "comma":
        end += 1
    return end - start


def _count_commas_before(section: Section, point: int) -> int:
    """Return the number of scaling commas, which are between the last digit and the point."""
    start = point
    while start and section[start - 1].kind == "comma":
        start -= 1
    return point - start


def _are_separators(section: Section, commas: list[int], end: int) -> bool:
    """Return whether commas separate thousands: between the first and the last digit, with nothing else there."""
    places = [place for place in range(end) if _is_place(section[place])]
    if not places or not places[0] < commas[0] <= commas[-1] < places[-1]:
        return False
    between = section[places[0] : places[-1] + 1]
    first = next(place for place, token in enumerate(section) if show_decoration(token) or _is_place(token))
    has_leading_blanks = FormatToken("place", "?") in between and first != places[0]
    return not has_leading_blanks and all(token.kind in ("place", "comma") for token in between)


def _is_doubtful(unused: list[str]) -> bool:
    """Return whether programs fill the places after the last decimal differently: a ? beside a #, or before a 0."""
    return "?" in unused and re.fullmatch(r"0*\?*", "".join(unused)) is None


def _drop_optional(fraction: str, places: list[str]) -> str:
    kept = len(fraction)
    while kept and places[kept - 1] != "0" and fraction[kept - 1] == "0":
        kept -= 1
    return fraction[:kept]


def _fill_whole(whole: str, layout: Layout) -> str:
    """Fill in from the right, digit by digit; the first place, or a section without places, takes the rest."""
    places = [place for place, token in enumerate(layout.whole) if _is_place(token)]
    if layout.thousands:
        whole = _separate(whole)
    left = len(whole)
    shown: list[str] = [] if places else [whole]
    for place in reversed(range(len(layout.whole))):
        token = layout.whole[place]
        if not _is_place(token):
            shown.append(show_decoration(token))
            continue
        start = 0 if layout.thousands or place == places[0] else max(0, left - 1)
        blank = " " if token.text == "?" else ""
        shown.append(whole[start:left] or blank)
        left = start
    return "".join(reversed(shown))


def _separate(whole: str) -> str:
    first = len(whole) % 3
    groups = [whole[:first], *(whole[start : start + 3] for start in range(first, len(whole), 3))]
    return ",".join(filter(None, groups))


def _fill_decimals(fraction: str, decimals: Section) -> str:
    return "".join(_show_decimals(iter(fraction), decimals))


def _show_decimals(digits: Iterator[str], decimals: Section) -> Iterator[str]:
    for token in decimals:
        if _is_place(token):
            yield next(digits, " " if token.text == "?" else "")
        else:
            yield show_decoration(token)


def has_places(section: Section) -> bool:
    """Return whether the section has places for digits."""
    return has_kind(section, "place")
