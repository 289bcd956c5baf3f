"""Find the field a heading means: by the table's names and aliases, and by the mapping of the user."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from bulkupdate.customers.fields import FIELD_BY_NORMALIZED_HEADING, Field, normalize_heading
from bulkupdate.errors import UsageError

MINIMUM_SIMILARITY = 0.6
"""How similar a heading and a known one must be (difflib's ratio, 0 to 1) to be suggested."""


def find_field(heading: str, heading_map: Mapping[str, str]) -> Field | None:
    """Return the field a heading means, None if it is not a field.

    `heading_map` is the user's own, heading = field name or alias, and takes precedence over the table. Both sides are
    compared without regard to case, blanks and signs. Raises `UsageError` if it names something that is not a field.
    """
    folded = normalize_heading(heading)
    for own, target in heading_map.items():
        if normalize_heading(own) == folded:
            return _require_field(own, target)
    return FIELD_BY_NORMALIZED_HEADING.get(folded)


def check_heading_map(heading_map: Mapping[str, str]) -> None:
    """Raise `UsageError` for the first entry that does not name a field, whether or not a file has its heading."""
    for own, target in heading_map.items():
        _require_field(own, target)


def suggest(heading: str) -> str | None:
    """Return the name of the field that a heading looks most like, None if it is not like any."""
    close = get_close_matches(normalize_heading(heading), FIELD_BY_NORMALIZED_HEADING, n=1, cutoff=MINIMUM_SIMILARITY)
    return FIELD_BY_NORMALIZED_HEADING[close[0]].name if close else None


def _require_field(own: str, target: str) -> Field:
    field = FIELD_BY_NORMALIZED_HEADING.get(normalize_heading(target))
    if field is None:
        nearest = suggest(target)
        hint = f" Did you mean {nearest}?" if nearest else ""
        raise UsageError(
            f"The heading {own!r} is mapped to {target!r}, which is not a customer field.{hint}",
            remedy='Map it to a field name as `bulkupdate template` writes it, e.g. --map "Kundennr=CustomerId".',
        )
    return field
