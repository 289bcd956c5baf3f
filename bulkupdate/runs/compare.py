"""Live values against wanted ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bulkupdate.customers.values import Value


@dataclass(frozen=True, slots=True)
class Comparison:
    """The fields whose live value is another than the wanted one, and those the service says nothing about."""

    differing: tuple[str, ...]
    unsaid: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether every wanted value is known to be there already."""
        return not self.differing and not self.unsaid


def compare(wanted: Mapping[str, Value], live: Mapping[str, Value]) -> Comparison:
    """Compare the fields of `wanted`; those that only `live` has do not matter."""
    unsaid = tuple(name for name in wanted if name not in live)
    differing = tuple(name for name in wanted if name in live and not _is_same(wanted[name], live[name]))
    return Comparison(differing, unsaid)


def _is_same(wanted: Value, live: Value) -> bool:
    """Equal, but for blanks at the ends and the kind of line break, which services change as they store a text."""
    if isinstance(wanted, str) and isinstance(live, str):
        return "\n".join(wanted.strip().splitlines()) == "\n".join(live.strip().splitlines())
    return wanted == live
