"""Map the columns of a sheet to fields, and refuse sheets that are not customer updates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bulkupdate.customers.fields import CUSTOMER_ID, Field
from bulkupdate.customers.headings import HeaderRow, missing_key_error, suggest
from bulkupdate.errors import InputFileError
from bulkupdate.text import quote_argument


@dataclass(frozen=True)
class Columns:
    """The indexes of a sheet's columns, counted from 0.

    `positions` has the customer id and every updatable field found; `original` are the user's own columns, without
    those that our results and to-fix sheets add. `matched_by` is as in `HeaderRow`.
    """

    positions: Mapping[Field, int]
    original: tuple[int, ...]
    matched_by: int | None = None


_SEE_TEMPLATE = "`bulkupdate template` writes a sheet with every heading."
_SHOWN_COLUMNS = 50


def assign_columns(header: HeaderRow, *, ignore_unknown: bool, never: frozenset[str] = frozenset()) -> Columns:
    """Return where the fields of a sheet are, without those that are `never` written.

    Raises `InputFileError` if there is no customer id or no field to update, if a field has two columns, and, unless
    `ignore_unknown`, if a column is not a field; it then lists all of those, with the nearest names.
    """
    found = _find_indexes(header)
    if CUSTOMER_ID not in found:
        raise missing_key_error("The sheet", header.headings, {})
    for field, indexes in found.items():
        if len(indexes) > 1:
            raise double_column_error("The", header, field.name, indexes)
    original = tuple(index for index in range(len(header.headings)) if index not in header.added)
    unknown = [index for index in original if not header.is_understood(index)]
    if unknown and not ignore_unknown:
        raise _unknown_columns_error(header, unknown)
    written = {field: indexes for field, indexes in found.items() if field.name not in never}
    if len(written) == 1 < len(found):
        raise InputFileError(
            "No column of the sheet may be written: the write policy of each is `never`.",
            remedy="Change the write policy of a column, or add another column.",
        )
    if len(written) == 1:
        raise InputFileError(
            "The sheet has no column to update, only customer ids.",
            remedy=f"Add a column such as Email or Phone1. {_SEE_TEMPLATE}",
        )
    return Columns({field: indexes[0] for field, indexes in written.items()}, original, header.matched_by)


def _find_indexes(header: HeaderRow) -> dict[Field, list[int]]:
    found: dict[Field, list[int]] = defaultdict(list)
    for index, field in enumerate(header.fields):
        if field is not None:
            found[field].append(index)
    return found


def double_column_error(start: str, header: HeaderRow, name: str, indexes: Sequence[int]) -> InputFileError:
    """Return the error for several columns that mean the same; `start` begins the sentence about the columns."""
    columns = " and ".join(f"{letter_column(index)} (“{header.headings[index]}”)" for index in indexes)
    return InputFileError(
        f"{start} columns {columns} both mean {name}.", remedy="Keep one of them, and rename the other."
    )


def _unknown_columns_error(header: HeaderRow, indexes: Sequence[int]) -> InputFileError:
    columns, example = [], "your heading=field"
    for index in indexes:
        heading = header.headings[index].strip()
        nearest = suggest(heading)
        hint = f" (did you mean {nearest}?)" if nearest else ""
        columns.append(f"{letter_column(index)} " + (f"“{heading}”{hint}" if heading else "without a heading"))
        if nearest and example == "your heading=field":
            example = f"{heading}={nearest.split()[0].rstrip(',')}"
    more = f", and {len(columns) - _SHOWN_COLUMNS} more" if len(columns) > _SHOWN_COLUMNS else ""
    which, them = ("This column is", "it") if len(columns) == 1 else ("These columns are", "them")
    return InputFileError(
        f"{which} not known: {', '.join(columns[:_SHOWN_COLUMNS])}{more}.",
        remedy=f"Rename or delete {them}, map {them} with --map {quote_argument(example)}, or ignore {them} with "
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
