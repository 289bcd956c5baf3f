"""Map the columns of a sheet to fields, and explain the columns that are not one."""

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
    """The indexes of a sheet's columns, counted from 0.

    `positions` has the customer id and every updatable field found; `original` are the user's own columns, without
    those that our results and to-fix sheets add.
    """

    positions: Mapping[Field, int]
    original: tuple[int, ...]


def assign_columns(headings: Sequence[str], heading_map: Mapping[str, str], *, ignore_unknown: bool) -> Columns:
    """Find the fields of a sheet by its headings.

    Raises `InputFileError` if there is no customer id or no field to update, if a field has two columns, and, unless
    `ignore_unknown`, if a column is not a field; it then names the nearest one.
    """
    ours = _find_added_columns(headings, heading_map)
    original = tuple(index for index in range(len(headings)) if index not in ours)
    found: dict[Field, list[int]] = defaultdict(list)
    unknown = []
    for index in original:
        field = find_field(headings[index], heading_map)
        if field is None:
            unknown.append(index)
        else:
            found[field].append(index)
    _refuse_bad_headings(headings, found)
    if unknown and not ignore_unknown:
        raise _unknown_columns_error([headings[index] for index in unknown], unknown)
    if len(found) == 1:
        raise InputFileError("The sheet has no column to update, only customer ids.", remedy=_SEE_TEMPLATE)
    return Columns({field: indexes[0] for field, indexes in found.items()}, original)


_SEE_TEMPLATE = "`bulkupdate template` writes a sheet with every heading."


def _find_added_columns(headings: Sequence[str], heading_map: Mapping[str, str]) -> frozenset[int]:
    """Return the columns that our results and to-fix sheets add: ignored, so that such a sheet can be given back.

    A sheet is taken for our results by the headings that no other sheet has. Its first CustomerId is ours if another
    column of ids follows.
    """
    added = {index for index, heading in enumerate(headings) if heading == REASON_COLUMN and index == len(headings) - 1}
    if _RESULTS_ONLY.issubset(headings):
        added |= {headings.index(name) for name in RESULT_COLUMNS if name in headings}
        keys = [index for index, heading in enumerate(headings) if find_field(heading, heading_map) is CUSTOMER_ID]
        if len(keys) < 2:
            added.difference_update(keys)
    return frozenset(added)


_RESULTS_ONLY = {"HttpStatus", "FieldsSent", "FinishedAt"}


def _refuse_bad_headings(headings: Sequence[str], found: Mapping[Field, Sequence[int]]) -> None:
    if CUSTOMER_ID not in found:
        raise InputFileError(
            f"The sheet has no column {CUSTOMER_ID.name}, so it is not known which customers its rows are about.",
            remedy=f"Name the column of ids {CUSTOMER_ID.name}. {_SEE_TEMPLATE}",
        )
    for field, indexes in found.items():
        if len(indexes) > 1:
            columns = " and ".join(f"{letter_column(index)} (“{headings[index]}”)" for index in indexes)
            raise InputFileError(
                f"The columns {columns} both mean {field.name}.", remedy="Keep one of them, and rename the other."
            )


def _unknown_columns_error(headings: Sequence[str], indexes: Sequence[int]) -> InputFileError:
    columns = []
    for heading, index in zip(headings, indexes, strict=True):
        nearest = suggest(heading)
        name = f"“{heading}”" if heading.strip() else "without a heading"
        columns.append(f"{letter_column(index)} {name}" + (f" (did you mean {nearest}?)" if nearest else ""))
    more = f", and {len(columns) - 10} more" if len(columns) > 10 else ""
    which = "This column is" if len(columns) == 1 else "These columns are"
    return InputFileError(
        f"{which} not known: {', '.join(columns[:10])}{more}.",
        remedy='Rename or delete them, map them with --map "their heading=field", or ignore them with '
        f"--ignore-unknown. {_SEE_TEMPLATE}",
    )


def letter_column(index: int) -> str:
    """Return a column's letters as Excel shows them, for its index counted from 0: `A`, `Z`, `AA`."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
