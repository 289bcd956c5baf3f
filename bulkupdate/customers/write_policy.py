"""What may be written to each field: always, only if it is empty, or never."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.headings import find_field
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.errors import UsageError
from bulkupdate.settings import Settings

_EMPTY = (None, "", ())


class WritePolicy(StrEnum):
    """Whether a value of the sheet replaces that of the customer."""

    OVERWRITE = "overwrite"
    ONLY_IF_EMPTY = "only-if-empty"
    NEVER = "never"


def parse_write_policy(text: str) -> Mapping[str, WritePolicy]:
    """Return the policy of each field that `Field=policy, …` names; the others are overwritten. Raises `UsageError`."""
    policies = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, word = (each.strip() for each in part.partition("="))
        field = find_field(name, {})
        if field is None or field is CUSTOMER_ID or word not in tuple(WritePolicy):
            raise UsageError(
                f"The write policy “{part}” is not understood.",
                remedy=f"Write it as Field=policy, separated by commas; policies: {', '.join(WritePolicy)}. "
                "For example: Fax=never,Email=only-if-empty.",
            )
        policies[field.name] = WritePolicy(word)
    return policies


def select_fields(policies: Mapping[str, WritePolicy], wanted: WritePolicy) -> frozenset[str]:
    """Return the fields that have this policy."""
    return frozenset(name for name, policy in policies.items() if policy is wanted)


def find_guarded(settings: Settings) -> frozenset[str]:
    """Return the fields that are only written if they are empty."""
    return select_fields(parse_write_policy(settings.write_policy), WritePolicy.ONLY_IF_EMPTY)


def find_kept(names: Iterable[str], live: LiveCustomer, guarded: Collection[str]) -> tuple[str, ...]:
    """Return which of these fields the policy keeps: guarded, and not known to be empty."""
    return tuple(name for name in names if name in guarded and (name not in live or live[name] not in _EMPTY))
