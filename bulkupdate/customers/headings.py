"""Recognise the headings of a sheet: the field that each means, by the field table and the user's own map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

from bulkupdate.customers.added_columns import find_added_columns
from bulkupdate.customers.common_headings import find_common_field
from bulkupdate.customers.fields import (
    CUSTOMER_ID,
    FIELD_BY_NAME,
    FIELD_BY_NORMALIZED_HEADING,
    Field,
    normalize_heading,
)
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.text import fold_whitespace, quote_argument, truncate

MINIMUM_SIMILARITY = 0.6
"""How similar a heading and a known one must be (difflib's ratio, 0 to 1) to be suggested."""

IGNORE = "ignore"
"""What a heading is mapped to whose column is not sent."""

_ALMOST_AS_SIMILAR = 0.1
_MOST_SUGGESTIONS = 3
_SHOWN_HEADINGS = 12
_EMAIL = FIELD_BY_NAME["Email"]


@dataclass(frozen=True)
class HeaderRow:
    """The headings of a sheet. Columns are counted from 0.

    `number` is the row's as Excel shows it, 0 if the headings are in no row. `fields` has the field that each heading
    means, None for a column that is not a field. `added` are the columns that our results and to-fix sheets add to the
    user's: they mean no field, so that such a sheet can be sent again. `matched_by` is the column that customers are
    matched by instead of their ids, None if there is none; it means no field either, and is not sent. `ignored` are
    headings that the user maps to `ignore`; with an empty one, columns without a heading are ignored.
    """

    number: int
    headings: tuple[str, ...]
    fields: tuple[Field | None, ...]
    added: frozenset[int] = frozenset()
    matched_by: int | None = None
    ignored: frozenset[str] = frozenset()

    @property
    def key_column(self) -> int | None:
        """The first column of customer ids, None if there is none."""
        return self.fields.index(CUSTOMER_ID) if CUSTOMER_ID in self.fields else None

    @property
    def field_count(self) -> int:
        """How many different fields the headings mean."""
        return len(set(self.fields) - {None})

    def is_understood(self, index: int) -> bool:
        """Return whether it is known what to do with a column: it is a field, the key, or ignored."""
        is_ignored = self.headings[index].strip() in self.ignored
        return self.fields[index] is not None or index == self.matched_by or is_ignored

    def resize(self, width: int) -> HeaderRow:
        """Return the same row with this many columns: cut, or filled up with blank headings."""
        more = max(0, width - len(self.headings))
        headings, fields = (*self.headings, *[""] * more), (*self.fields, *[None] * more)
        return replace(self, headings=headings[:width], fields=fields[:width])


def recognize_headings(
    cells: Sequence[str], heading_map: Mapping[str, str] | None = None, *, number: int = 1
) -> HeaderRow:
    """Return a row of cells, interpreted as headings.

    `heading_map` is the user's own, heading = field name or alias. Raises `UsageError` if it names something that is
    not a field.
    """
    heading_map = heading_map or {}
    fields = [find_field(cell, heading_map) if cell.strip() else None for cell in cells]
    added = find_added_columns(cells, fields)
    kept = tuple(None if index in added else field for index, field in enumerate(fields))
    ignored = {cell.strip() for cell in ("", *cells) if _find_target(cell, heading_map) == IGNORE}
    return HeaderRow(number, tuple(cells), kept, added, ignored=frozenset(ignored))


def find_field(heading: str, heading_map: Mapping[str, str]) -> Field | None:
    """Return the field a heading means, None if it is not a field.

    `heading_map` takes precedence over the field table. Both sides are compared without regard to case, blanks and
    punctuation, unless exactly this heading is mapped. Raises `UsageError` if it names something that is not a field.
    """
    target = _find_target(heading, heading_map)
    if target is None:
        return FIELD_BY_NORMALIZED_HEADING.get(normalize_heading(heading)) or find_common_field(heading)
    return None if target == IGNORE else _require_field(heading, target)


def describe_common(header: HeaderRow, heading_map: Mapping[str, str]) -> list[str]:
    """Return, as `Telefon → Phone1`, which headings are neither in the field table nor in the map."""
    return [
        f"{shorten_heading(heading)} → {field.name}"
        for heading, field in zip(header.headings, header.fields, strict=True)
        if field is not None
        and _find_target(heading, heading_map) is None
        and normalize_heading(heading) not in FIELD_BY_NORMALIZED_HEADING
    ]


def _find_target(heading: str, heading_map: Mapping[str, str]) -> str | None:
    """Return what the map says of a heading, None if nothing."""
    if not heading_map:
        return None
    exact, folded = _fold_map(tuple(heading_map.items()))
    return exact.get(heading.strip()) or folded.get(normalize_heading(heading))


@lru_cache(maxsize=64)
def _fold_map(items: tuple[tuple[str, str], ...]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the map by the exact headings, and by the normalised ones; a later entry counts."""
    return {own.strip(): target for own, target in items}, {normalize_heading(own): target for own, target in items}


def merge_heading_maps(*maps: Mapping[str, str]) -> dict[str, str]:
    """Return all entries; of those for the same heading, however it is spelled, the ones of the last map."""
    merged: dict[str, str] = {}
    for heading_map in maps:
        replaced = set(map(normalize_heading, heading_map))
        merged = {own: target for own, target in merged.items() if normalize_heading(own) not in replaced}
        merged.update(heading_map)
    return merged


def check_heading_map(heading_map: Mapping[str, str]) -> None:
    """Raise `UsageError` for the first entry that does not name a field, whether or not a file has its heading."""
    for own, target in heading_map.items():
        if target != IGNORE:
            _require_field(own, target)


def require_mapped_headings(header: HeaderRow, heading_map: Mapping[str, str]) -> None:
    """Raise `InputFileError` if a heading that the user maps for this file is not in it."""
    for own in _list_missing(header.headings, heading_map):
        known = {normalize_heading(heading): heading for heading in header.headings if heading.strip()}
        close = get_close_matches(normalize_heading(own), known, n=1, cutoff=MINIMUM_SIMILARITY)
        hint = f" Did you mean {_in_quotes(known[close[0]])}?" if close else ""
        raise InputFileError(
            f"The file has no heading {_in_quotes(own)}, which --map names.{hint} {describe_headings(header.headings)}",
            remedy="Correct the heading in --map, or omit that --map.",
        )


def suggest(heading: str) -> str:
    """Return the fields that a heading resembles most, `CompanyId or BusinessName`; empty if it resembles none."""
    normalized = normalize_heading(heading)
    close = get_close_matches(normalized, FIELD_BY_NORMALIZED_HEADING, n=10, cutoff=MINIMUM_SIMILARITY)
    scores = {known: SequenceMatcher(None, known, normalized).ratio() for known in close}
    least = max(scores.values(), default=0) - _ALMOST_AS_SIMILAR
    similar = sorted(
        (known for known, score in scores.items() if score > least), key=lambda known: (-scores[known], known)
    )
    names = dict.fromkeys(FIELD_BY_NORMALIZED_HEADING[known].name for known in similar)
    *others, last = list(names)[:_MOST_SUGGESTIONS] or [""]
    return f"{', '.join(others)} or {last}" if others else last


def missing_key_error(
    where: str,
    headings: Sequence[str],
    heading_map: Mapping[str, str],
    *,
    rows: int | None = None,
    key: str | None = None,
) -> InputFileError:
    """Return the error for a sheet without a column of customer ids.

    `where` is the file or sheet, as a subject; `rows` is how many of its first rows were searched for headings. `key`
    is the column that was to be used instead, None for the ids.
    """
    within = f" in its first {rows} rows" if rows else ""
    shown = describe_headings(headings)
    if key is not None:
        remedy = "Name one of its columns with --key."
        return InputFileError(f"{where} has no column {_in_quotes(key)}{within}. {shown}", remedy=remedy)
    mapped = [own for own in _list_missing(headings, heading_map) if find_field(own, heading_map) is CUSTOMER_ID]
    missing = f" {_in_quotes(mapped[0])}, which is mapped to it, is not there either." if mapped else ""
    filled = [heading.strip() for heading in headings if heading.strip()]
    example = next((heading for heading in filled if CUSTOMER_ID.name in suggest(heading)), "Your heading")
    remedy = (
        f"Name the column of Sellercloud's customer ids {CUSTOMER_ID.name}, or say which one it is: "
        f"--map {quote_argument(f'{example}={CUSTOMER_ID.name}')}."
    )
    email = next((heading for heading in filled if find_field(heading, heading_map) is _EMAIL), None)
    if email:
        remedy += f" Without ids, the customers can be found by e-mail: --key {quote_argument(email)}."
    return InputFileError(f"{where} has no column {CUSTOMER_ID.name}{within}.{missing} {shown}", remedy=remedy)


def describe_headings(headings: Sequence[str]) -> str:
    """Return a sentence that lists the headings found."""
    shown = [shorten_heading(heading) for heading in headings if heading.strip()]
    if not shown:
        return "No headings were found."
    more = f" and {len(shown) - _SHOWN_HEADINGS} more" if len(shown) > _SHOWN_HEADINGS else ""
    return f"Found: {', '.join(shown[:_SHOWN_HEADINGS])}{more}."


def _require_field(own: str, target: str) -> Field:
    field = FIELD_BY_NORMALIZED_HEADING.get(normalize_heading(target))
    if field is None:
        nearest = suggest(target)
        hint = f" Did you mean {nearest}?" if nearest else ""
        raise UsageError(
            f"The heading {_in_quotes(own)} is mapped to {_in_quotes(target)}, which is not a customer field.{hint}",
            remedy='Map it to a field name as `bulkupdate template` writes it, such as --map "Kundennr=CustomerId", '
            f"or to {IGNORE}.",
        )
    return field


def _list_missing(headings: Sequence[str], heading_map: Mapping[str, str]) -> list[str]:
    known = {normalize_heading(heading) for heading in headings}
    return [own for own in heading_map if normalize_heading(own) not in known]


def shorten_heading(heading: str) -> str:
    """Return a heading as messages show it: on one line, and cut."""
    return truncate(fold_whitespace(heading), 40)


def _in_quotes(heading: str) -> str:
    return f"“{shorten_heading(heading)}”"
