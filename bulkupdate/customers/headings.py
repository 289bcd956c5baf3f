"""Recognise the headings of a sheet: which field each means, by the field table and by the user's own map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from itertools import takewhile

from bulkupdate.customers.fields import (
    CUSTOMER_ID,
    FIELD_BY_NAME,
    FIELD_BY_NORMALIZED_HEADING,
    Field,
    normalize_heading,
)
from bulkupdate.customers.models import MATCH_COLUMN, REASON_COLUMN, RESULT_COLUMNS, TO_FIX_COLUMNS
from bulkupdate.errors import InputFileError, UsageError
from bulkupdate.text import fold_whitespace, quote_argument, truncate

MINIMUM_SIMILARITY = 0.6
"""How similar a heading and a known one must be (difflib's ratio, 0 to 1) to be suggested."""

_ALMOST_AS_SIMILAR = 0.1
_MOST_SUGGESTIONS = 3
_SHOWN_HEADINGS = 12
_EMAIL = FIELD_BY_NAME["Email"]
_RESULTS_ONLY = {"HttpStatus", "FieldsSent", "FinishedAt"}


@dataclass(frozen=True)
class HeaderRow:
    """The headings of a sheet. Columns are counted from 0.

    `number` is the row's as Excel shows it. `fields` has the field that each heading means, None for a column that is
    not a field. `added` are the columns that our results and to-fix sheets add to the user's: they mean no field, so
    that such a sheet can be given back. `matched_by` is the column that customers are matched by instead of their ids,
    None if there is none; it means no field either, and is not sent.
    """

    number: int
    headings: tuple[str, ...]
    fields: tuple[Field | None, ...]
    added: frozenset[int] = frozenset()
    matched_by: int | None = None

    @property
    def key_column(self) -> int | None:
        """The first column of customer ids, None if there is none."""
        return self.fields.index(CUSTOMER_ID) if CUSTOMER_ID in self.fields else None

    @property
    def field_count(self) -> int:
        """How many different fields the headings mean."""
        return len(set(self.fields) - {None})

    def resize(self, width: int) -> HeaderRow:
        """Return the same row with this many columns: cut, or filled up with blank headings."""
        more = max(0, width - len(self.headings))
        headings, fields = (*self.headings, *[""] * more), (*self.fields, *[None] * more)
        return replace(self, headings=headings[:width], fields=fields[:width])


def recognize_headings(
    cells: Sequence[str], heading_map: Mapping[str, str] | None = None, *, number: int = 1
) -> HeaderRow:
    """Return a row read as headings, whatever it holds.

    `heading_map` is the user's own, heading = field name or alias. Raises `UsageError` if it names something that is
    not a field.
    """
    fields = [find_field(cell, heading_map or {}) if cell.strip() else None for cell in cells]
    added = _find_added_columns(cells, fields)
    kept = tuple(None if index in added else field for index, field in enumerate(fields))
    return HeaderRow(number, tuple(cells), kept, added)


def find_field(heading: str, heading_map: Mapping[str, str]) -> Field | None:
    """Return the field a heading means, None if it is not a field.

    `heading_map` takes precedence over the field table. Both sides are compared without regard to case, blanks and
    punctuation. Raises `UsageError` if it names something that is not a field.
    """
    normalized = normalize_heading(heading)
    for own, target in heading_map.items():
        if normalize_heading(own) == normalized:
            return _require_field(own, target)
    return FIELD_BY_NORMALIZED_HEADING.get(normalized)


def check_heading_map(heading_map: Mapping[str, str]) -> None:
    """Raise `UsageError` for the first entry that does not name a field, whether or not a file has its heading."""
    for own, target in heading_map.items():
        _require_field(own, target)


def require_mapped_headings(header: HeaderRow, heading_map: Mapping[str, str]) -> None:
    """Raise `InputFileError` if a heading that the user maps for this file is not in it."""
    for own in _list_missing(header.headings, heading_map):
        known = {normalize_heading(heading): heading for heading in header.headings if heading.strip()}
        close = get_close_matches(normalize_heading(own), known, n=1, cutoff=MINIMUM_SIMILARITY)
        hint = f" Did you mean {_quote(known[close[0]])}?" if close else ""
        raise InputFileError(
            f"The file has no heading {_quote(own)}, which --map names.{hint} {describe_headings(header.headings)}",
            remedy="Correct the heading in --map, or leave that --map out.",
        )


def suggest(heading: str) -> str:
    """Return the fields that a heading resembles most, `CompanyId or BusinessName`; empty if it resembles none."""
    normalized = normalize_heading(heading)
    close = get_close_matches(normalized, FIELD_BY_NORMALIZED_HEADING, n=10, cutoff=MINIMUM_SIMILARITY)
    scores = [SequenceMatcher(None, known, normalized).ratio() for known in close]
    names = dict.fromkeys(
        FIELD_BY_NORMALIZED_HEADING[known].name
        for known, score in zip(close, scores, strict=True)
        if score > scores[0] - _ALMOST_AS_SIMILAR
    )
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
    names the column that was wanted instead, None for the ids.
    """
    within = f" in its first {rows} rows" if rows else ""
    shown = describe_headings(headings)
    if key is not None:
        remedy = "Name one of its columns with --key."
        return InputFileError(f"{where} has no column {_quote(key)}{within}. {shown}", remedy=remedy)
    mapped = [own for own in _list_missing(headings, heading_map) if find_field(own, heading_map) is CUSTOMER_ID]
    missing = f" {_quote(mapped[0])}, which is mapped to it, is not there either." if mapped else ""
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
    shown = [_shorten(heading) for heading in headings if heading.strip()]
    if not shown:
        return "No headings were found."
    more = f" and {len(shown) - _SHOWN_HEADINGS} more" if len(shown) > _SHOWN_HEADINGS else ""
    return f"Found: {', '.join(shown[:_SHOWN_HEADINGS])}{more}."


def _find_added_columns(headings: Sequence[str], fields: Sequence[Field | None]) -> frozenset[int]:
    """Return the columns that our results, to-fix and matched sheets add.

    A sheet is taken for our results by the headings that no other sheet has. Its first CustomerId is ours if another
    column of ids follows. A to-fix sheet begins with its headings; users may have deleted one of them.
    """
    last = max((index for index, heading in enumerate(headings) if heading.strip()), default=-1)
    added = {last} if last >= 0 and headings[last] in (REASON_COLUMN, MATCH_COLUMN) else set()
    first = list(takewhile(TO_FIX_COLUMNS.__contains__, headings))
    if len(set(first)) >= len(TO_FIX_COLUMNS) - 1:
        added |= set(range(len(first)))
    if _RESULTS_ONLY.issubset(headings):
        added |= {headings.index(name) for name in RESULT_COLUMNS if name in headings}
        keys = [index for index, field in enumerate(fields) if field is CUSTOMER_ID]
        if len(keys) < 2:
            added.difference_update(keys)
    return frozenset(added)


def _require_field(own: str, target: str) -> Field:
    field = FIELD_BY_NORMALIZED_HEADING.get(normalize_heading(target))
    if field is None:
        nearest = suggest(target)
        hint = f" Did you mean {nearest}?" if nearest else ""
        raise UsageError(
            f"The heading {_quote(own)} is mapped to {_quote(target)}, which is not a customer field.{hint}",
            remedy='Map it to a field name as `bulkupdate template` writes it, such as --map "Kundennr=CustomerId".',
        )
    return field


def _list_missing(headings: Sequence[str], heading_map: Mapping[str, str]) -> list[str]:
    known = {normalize_heading(heading) for heading in headings}
    return [own for own in heading_map if normalize_heading(own) not in known]


def _shorten(heading: str) -> str:
    return truncate(fold_whitespace(heading), 40)


def _quote(heading: str) -> str:
    return f"“{_shorten(heading)}”"
