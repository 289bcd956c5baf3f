"""What may be written to each field: always, only if it is empty, or never."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from bulkupdate.customers.fields import CUSTOMER_ID, Field
from bulkupdate.customers.headings import find_field
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.errors import UsageError

EMPTY = (None, "", ())
"""The values that an empty field may have."""


class WritePolicy(StrEnum):
    """Whether a value of the sheet replaces that of the customer."""

    OVERWRITE = "overwrite"
    ONLY_IF_EMPTY = "only-if-empty"
    NEVER = "never"


def parse_write_policy(text: str) -> Mapping[str, WritePolicy]:
    """Return the policy of each field that `Field=policy, …` names; the others are overwritten. Raises `UsageError`."""
    policies = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, word = (piece.strip() for piece in part.partition("="))
        field = find_field(name, {})
        if field is None or field is CUSTOMER_ID or word not in tuple(WritePolicy):
            raise UsageError(
                f"The write policy “{part}” is not understood.",
                remedy=f"Write it as Field=policy, separated by commas; policies: {', '.join(WritePolicy)}. "
                "For example: Fax=never,Email=only-if-empty.",
            )
        policies[field.name] = WritePolicy(word)
    return policies


def merge_policies(
    first: Mapping[str, WritePolicy], second: Mapping[str, WritePolicy]
) -> dict[str, WritePolicy]:  # fmt: skip
    """Return for each field the stricter of two policies."""
    strictness = tuple(WritePolicy)
    stricter = {name: max(first.get(name, policy), policy, key=strictness.index) for name, policy in second.items()}
    return {**first, **stricter}


def select_fields(policies: Mapping[str, WritePolicy], wanted: WritePolicy) -> frozenset[str]:
    """Return the fields that have this policy."""
    return frozenset(name for name, policy in policies.items() if policy is wanted)


def describe_policies(policies: Mapping[str, WritePolicy], fields: Sequence[Field | None]) -> Iterator[str]:
    """Yield a note on each column of the sheet that is not simply written."""
    for name in (field.name for field in fields if field is not None):
        if policies.get(name) is WritePolicy.NEVER:
            yield f"{name} is never written (write policy): its column is ignored."
        elif policies.get(name) is WritePolicy.ONLY_IF_EMPTY:
            yield f"{name} is only written if the customer's is empty (write policy): a run reads that first."


def find_kept(names: Iterable[str], live: LiveCustomer, guarded: Collection[str]) -> tuple[str, ...]:
    """Return which of these fields the policy keeps: guarded, and not known to be empty."""
    return tuple(name for name in names if name in guarded and (name not in live or live[name] not in EMPTY))


def describe_kept(names: Iterable[str]) -> str:
    """Return why a row with only these fields is not sent."""
    return f"not empty, so kept (write policy): {', '.join(names)}"
