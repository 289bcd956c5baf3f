"""Compare live values with the values wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bulkupdate.customers.parse_result import Value


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """The fields whose live value is another than the wanted one, and those the service says nothing about."""

    differing: tuple[str, ...]
    unsaid: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether every wanted value is known to be there already."""
        return not self.differing and not self.unsaid


def compare(wanted: Mapping[str, Value], live: Mapping[str, Value | None]) -> FieldComparison:
    """Compare the fields of `wanted`; those that only `live` has do not matter."""
    unsaid = tuple(name for name in wanted if name not in live)
    differing = tuple(name for name in wanted if name in live and not is_same(wanted[name], live[name]))
    return FieldComparison(differing, unsaid)


def is_same(wanted: Value | None, live: Value | None) -> bool:
    """Return whether two values are equal but for blanks at the ends and the kind of line break.

    No sheet can hold the former, and services change both as they store a text.
    """
    if isinstance(wanted, str) and isinstance(live, str):
        return _unify(wanted) == _unify(live)
    return wanted == live


def _unify(text: str) -> str:
    return text.strip().replace("\r\n", "\n").replace("\r", "\n")
