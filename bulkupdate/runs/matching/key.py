"""The key that identifies the customers of a sheet instead of their ids: its column, and how keys are compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.column_mapping import double_column_error
from bulkupdate.customers.field_types import EMAIL
from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME, Field, normalize_heading
from bulkupdate.customers.headings import HeaderRow, find_field, merge_heading_maps, missing_key_error
from bulkupdate.customers.models import Finding
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import UsageError

KEY_OPTION = "--key"

_ANY_TEXT = FIELD_BY_NAME["SourceId"]
_LONGEST_EMAIL = 320
"""64 characters before the @ and 255 after it (RFC 5321)."""
_MAY_BE_REFUSED = re.compile(r"[#\0]|\[bulkupdate:")
"""What texts have that no field accepts; quicker than parsing each."""


@dataclass(frozen=True)
class Key:
    """A key as the user names it. `field` is the customer field it means, None for a heading of the user's own."""

    name: str
    field: Field | None

    def normalise(self, text: str) -> str:
        """Return a key as it is compared: without blanks around it and, for an e-mail, in lower case."""
        stripped = text.strip()
        if not self._is_email:
            return stripped
        return stripped.lower() if stripped.isascii() else "".join(map(_lower, stripped))

    @cached_property
    def _is_email(self) -> bool:
        return self.field is not None and self.field.type is EMAIL

    def find_error(self, text: str) -> Finding | None:
        """Return why a cell cannot be a key (a spreadsheet error, a mark), as it could not be a value; None if it can.

        Two cells with `#N/A` do not have the same key. A text that is too long for an e-mail is none either: services
        refuse addresses (URLs) of some thousand characters.
        """
        if self._is_email and len(text) > _LONGEST_EMAIL:
            message = f"the text has {len(text):,} characters, more than an e-mail address can have"
            return Finding.error(ProblemCode.EMAIL, message, f"Correct the {self.name}.")
        if not _MAY_BE_REFUSED.search(text):
            return None
        parsed = parse_cell(_ANY_TEXT, text)
        return replace(parsed.findings[0], remedy=f"Correct the {self.name}.") if parsed.is_refused else None

    def map_to_id(self, heading_map: Mapping[str, str]) -> dict[str, str]:
        """Return a heading map with which a sheet is read as if its key column were its customer ids.

        So the sheet needs no column of ids, and cells of the key column are read as strictly as ids.
        """
        if self.field is None:
            return merge_heading_maps(heading_map, {self.name: CUSTOMER_ID.name})
        own = (heading for heading in heading_map if find_field(heading, heading_map) is self.field)
        names = (self.field.name, *self.field.aliases, *own)
        return merge_heading_maps(heading_map, dict.fromkeys(names, CUSTOMER_ID.name))

    def find_column(self, header: HeaderRow, where: str) -> int:
        """Return the index of the key's column. `where` is the file, for the error.

        Raises `InputFileError` if there is none, or more than one.
        """
        found = [index for index in range(len(header.headings)) if self._is_at(index, header)]
        if not found:
            raise missing_key_error(where, header.headings, {}, key=self.name)
        if len(found) > 1:
            raise double_column_error(f"{where}: the", header, self.name, found)
        return found[0]

    def _is_at(self, index: int, header: HeaderRow) -> bool:
        if index in header.added:
            return False
        if self.field is not None:
            return header.fields[index] is self.field
        return normalize_heading(header.headings[index]) == normalize_heading(self.name)


def _lower(letter: str) -> str:
    """Return the letter in lower case, unless another letter has the same lower case: the Kelvin sign is not a k."""
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
        raise UsageError(f"{KEY_OPTION} {name!r} is the customer id.", remedy=f"Omit {KEY_OPTION}: ids need no key.")
    return Key(name.strip(), field)
