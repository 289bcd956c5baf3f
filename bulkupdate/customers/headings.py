"""Which field a heading stands for: the table's names and aliases, and the names a firm uses itself."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from bulkupdate.customers.fields import FIELD_BY_NORMALIZED_HEADING, Field, normalize_heading
from bulkupdate.errors import UsageError

LEAST_LIKENESS = 0.6
"""How alike a heading and a known one must be (difflib's ratio, 0 to 1) to be offered as what may be meant."""


def find_field(heading: str, heading_map: Mapping[str, str]) -> Field | None:
    """The field a heading stands for, None where it is none of ours.

    `heading_map` is a firm's own: heading = field name or alias; both sides are compared as headings are, without
    regard to case, blanks and signs. It goes before the table. Raises `UsageError` where it names no field.
    """
    folded = normalize_heading(heading)
    for own, target in heading_map.items():
        if normalize_heading(own) == folded:
            return _require_field(own, target)
    return FIELD_BY_NORMALIZED_HEADING.get(folded)


def check_heading_map(heading_map: Mapping[str, str]) -> None:
    """Raise `UsageError` for the first entry that names no field, whether or not a file has its heading."""
    for own, target in heading_map.items():
        _require_field(own, target)


def suggest(heading: str) -> str | None:
    """The name of the field that a heading looks most like, None where it looks like none."""
    close = get_close_matches(normalize_heading(heading), FIELD_BY_NORMALIZED_HEADING, n=1, cutoff=LEAST_LIKENESS)
    return FIELD_BY_NORMALIZED_HEADING[close[0]].name if close else None


def _require_field(own: str, target: str) -> Field:
    field = FIELD_BY_NORMALIZED_HEADING.get(normalize_heading(target))
    if field is None:
        nearest = suggest(target)
        hint = f" Did you mean {nearest}?" if nearest else ""
        raise UsageError(
            f"The heading {own!r} is mapped to {target!r}, which is no field of a customer.{hint}",
            remedy='Map it to a field name as `bulkupdate template` writes it, e.g. --map "Kundennr=CustomerId".',
        )
    return field
