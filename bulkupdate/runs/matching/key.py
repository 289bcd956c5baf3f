"""The key that identifies the customers of a sheet instead of their ids: its column, and how keys are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.customers.column_mapping import letter_column
from bulkupdate.customers.field_types import EMAIL
from bulkupdate.customers.fields import CUSTOMER_ID, Field, normalize_heading
from bulkupdate.customers.headings import HeaderRow, describe_headings, find_field
from bulkupdate.errors import InputFileError, UsageError

KEY_OPTION = "--key"


@dataclass(frozen=True)
class Key:
    """A key as the user names it. `field` is the customer field it means, None for a heading of the user's own."""

    name: str
    field: Field | None

    def normalise(self, text: str) -> str:
        """Return a key as it is compared: without blanks around it and, for an e-mail, in lower case."""
        stripped = text.strip()
        is_email = self.field is not None and self.field.type is EMAIL
        return "".join(map(_lower, stripped)) if is_email else stripped

    def map_to_id(self, heading_map: Mapping[str, str]) -> dict[str, str]:
        """Return a heading map with which a sheet is read as if its key column were its customer ids.

        So the sheet may lack a column of ids, and cells of the key column are read as strictly as ids are.
        """
        if self.field is None:
            return {**heading_map, self.name: CUSTOMER_ID.name}
        own = (heading for heading in heading_map if find_field(heading, heading_map) is self.field)
        names = (self.field.name, *self.field.aliases, *own)
        return {**heading_map, **dict.fromkeys(names, CUSTOMER_ID.name)}

    def find_column(self, header: HeaderRow, where: str) -> int:
        """Return the index of the key's column. `where` is the file, for the error.

        Raises `InputFileError` if there is none, or more than one.
        """
        found = [index for index in range(len(header.headings)) if self._is_at(index, header)]
        if not found:
            raise InputFileError(
                f"{where} has no column {self.name}. {describe_headings(header.headings)}",
                remedy=f"Name one of its columns with {KEY_OPTION}.",
            )
        if len(found) > 1:
            columns = " and ".join(f"{letter_column(index)} (“{header.headings[index]}”)" for index in found)
            raise InputFileError(
                f"{where}: the columns {columns} both mean {self.name}.", remedy="Keep one of them, or rename one."
            )
        return found[0]

    def _is_at(self, index: int, header: HeaderRow) -> bool:
        if index in header.added:
            return False
        if self.field is not None:
            return header.fields[index] is self.field
        return normalize_heading(header.headings[index]) == normalize_heading(self.name)


def _lower(letter: str) -> str:
    """Return the letter in lower case, unless another letter has the same: the Kelvin sign is not a k."""
    lower = letter.lower()
    return lower if lower.upper() == letter else letter


def list_arguments(key: str | None, lookup: Path | str | None) -> tuple[str | Path, ...]:
    """Return the options that name the key, to be added to a command; empty if there is none."""
    if not key:
        return ()
    return (KEY_OPTION, key, "--lookup", lookup) if lookup else (KEY_OPTION, key)


def find_key(name: str, heading_map: Mapping[str, str]) -> Key:
    """Return the key of that name: a customer field, by name, alias or the user's own map, or any other heading.

    Raises `UsageError` if it names the customer id.
    """
    field = find_field(name, heading_map)
    if field is CUSTOMER_ID:
        raise UsageError(
            f"{KEY_OPTION} {name!r} is the customer id.", remedy=f"Leave {KEY_OPTION} out: the id is the usual key."
        )
    return Key(name.strip(), field)
