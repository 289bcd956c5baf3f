"""What a probe may have left in its customer, and what others have changed there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.runs.live.diff import is_same

ALIASES_FIELD = "BusinessAliases"
MARK = "bulkupdate probe"
"""What every text of a probe holds."""


def may_have_left(name: str, now: Value | None, before: Value | None, written: Iterable[Value]) -> bool:
    """Return whether a probe may have left this value in a field, rather than someone else since.

    `written` are all the values that it may have sent; services may store a text differently, and add up aliases.
    """
    if name == ALIASES_FIELD:
        known = {alias for names in (before, *written) for alias in as_list(names)}
        return set(as_list(now)) <= known
    return any(is_same("" if now is None else now, value) for value in written) or MARK in str(now)


def list_written(updates: Iterable[Mapping[str, Value]]) -> Mapping[str, Sequence[Value]]:
    """Return the values that these updates may set, by their fields."""
    written: dict[str, list[Value]] = {}
    for values in updates:
        for name, value in values.items():
            written.setdefault(name, []).append(value)
    return written


def list_own_changes(
    before: LiveCustomer, now: LiveCustomer, written: Mapping[str, Sequence[Value]]
) -> dict[str, Value]:
    """Return the previous values of the fields that a probe has changed. `written` are the values it may have sent."""
    return {
        name: value
        for name, values in written.items()
        if (value := before.get(name)) is not None
        and now.get(name) != value
        and may_have_left(name, now.get(name), value, values)
    }


def list_others_changes(before: LiveCustomer, now: LiveCustomer, own: Collection[str]) -> list[str]:
    """Return the fields that differ from before, but not through the probe, which has changed those in `own`."""
    return [name for name, value in before.items() if now.get(name) != value and name not in own]


def as_list(value: Value | None) -> list[Any]:
    """Return the aliases of a value; none if it is no list."""
    return list(value) if isinstance(value, tuple | list) else []
