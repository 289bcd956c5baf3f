"""Which column of a sheet is which field, and what is said of the columns that are none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bulkupdate.customers.fields import CUSTOMER_ID, Field
from bulkupdate.customers.headings import find_field, suggest
from bulkupdate.customers.models import REASON_COLUMN, RESULT_COLUMNS
from bulkupdate.errors import InputFileError


@dataclass(frozen=True)
class Columns:
    """The places of a sheet's columns, counted from 0.

    `positions` has the customer id and every updatable field found; `original` are the columns the user gave, `ignored`
    those of them that are no field; the columns of our own results are in none.
    """

    positions: Mapping[Field, int]
    original: tuple[int, ...]
    ignored: tuple[int, ...]


def assign_columns(headings: Sequence[str], heading_map: Mapping[str, str], *, ignore_unknown: bool) -> Columns:
    """Find the fields of a sheet by its headings.

    Raises `InputFileError` for no customer id, no field to update, a field that stands twice, and, unless
    `ignore_unknown`, for a column that is no field, with the nearest name.
    """
    own = _find_own(headings, heading_map)
    original = tuple(at for at in range(len(headings)) if at not in own)
    places: dict[Field, list[int]] = defaultdict(list)
    for at in original:
        each = find_field(headings[at], heading_map)
        if each is not None:
            places[each].append(at)
    assigned = {at for each in places.values() for at in each}
    unknown = tuple(at for at in original if at not in assigned)
    _refuse_bad_headings(headings, places)
    if unknown and not ignore_unknown:
        raise _unknown_columns([headings[at] for at in unknown], unknown)
    if len(places) == 1:
        raise InputFileError("The sheet has no column to update, only customer ids.", remedy=_SEE_TEMPLATE)
    return Columns({each: at[0] for each, at in places.items()}, original, unknown)


_SEE_TEMPLATE = "`bulkupdate template` writes a sheet with every heading."


def _find_own(headings: Sequence[str], heading_map: Mapping[str, str]) -> frozenset[int]:
    """The columns that our results and to-fix sheets add: passed over, so that such a sheet can be given back.

    A sheet is taken for our results by the headings that only we use. Its first CustomerId is ours where another column
    of ids stands after it.
    """
    own = {at for at, heading in enumerate(headings) if heading == REASON_COLUMN and at == len(headings) - 1}
    if _OURS_ALONE.issubset(headings):
        own |= {headings.index(name) for name in RESULT_COLUMNS if name in headings}
        keys = [at for at, heading in enumerate(headings) if find_field(heading, heading_map) is CUSTOMER_ID]
        if len(keys) < 2:
            own.difference_update(keys)
    return frozenset(own)


_OURS_ALONE = {"HttpStatus", "FieldsSent", "FinishedAt"}


def _refuse_bad_headings(headings: Sequence[str], places: Mapping[Field, Sequence[int]]) -> None:
    if CUSTOMER_ID not in places:
        raise InputFileError(
            f"The sheet has no column {CUSTOMER_ID.name}, so it is not known whom its rows are about.",
            remedy=f"Name the column of ids {CUSTOMER_ID.name}. {_SEE_TEMPLATE}",
        )
    for each, at in places.items():
        if len(at) > 1:
            columns = " and ".join(f"{letter_column(place)} (“{headings[place]}”)" for place in at)
            raise InputFileError(
                f"The columns {columns} both stand for {each.name}.", remedy="Keep one of them, and rename the other."
            )


def _unknown_columns(headings: Sequence[str], places: Sequence[int]) -> InputFileError:
    told = []
    for heading, place in zip(headings, places, strict=True):
        nearest = suggest(heading)
        name = f"“{heading}”" if heading.strip() else "without a heading"
        told.append(f"{letter_column(place)} {name}" + (f" (did you mean {nearest}?)" if nearest else ""))
    more = f", and {len(told) - 10} more" if len(told) > 10 else ""
    which = "This column is" if len(told) == 1 else "These columns are"
    return InputFileError(
        f"{which} not known: {', '.join(told[:10])}{more}.",
        remedy='Rename or delete them, map them with --map "their heading=field", or pass over them with '
        f"--ignore-unknown. {_SEE_TEMPLATE}",
    )


def letter_column(place: int) -> str:
    """A column's letters as Excel shows them, for its place counted from 0: `A`, `Z`, `AA`."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
