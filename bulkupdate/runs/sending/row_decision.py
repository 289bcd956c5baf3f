"""Decide what to do with a row once its live customer has been read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bulkupdate.customers.models import CheckedRow, Status
from bulkupdate.customers.payload import filter_body
from bulkupdate.customers.write_policy import describe_kept
from bulkupdate.runs.live.diff import LookedUp
from bulkupdate.runs.sending.snapshots import NO_SUCH_CUSTOMER

SAME = "the live customer already has every value"

_NEEDS_COMPANY = {"IsWholesale": "BusinessName"}
"""Fields that are sent together if the client setting of wholesale customers is on (`docs/api.md`, section Fields)."""


@dataclass(frozen=True, slots=True)
class RowDecision:
    """What was found out about a row before sending.

    It has the status, the reason, and the fields that are still to be sent. `was_read` means that all of its fields
    were compared with the live ones. `kept` are fields that the write policy keeps as they are.
    """

    status: Status
    reason: str
    to_send: tuple[str, ...] = ()
    was_read: bool = False
    kept: tuple[str, ...] = ()


def decide(looked_up: LookedUp, kept: tuple[str, ...], wholesale_needs_business_name: bool) -> RowDecision:
    """Return the decision about a row. `kept` are the fields that the write policy keeps; `to_send` lacks them."""
    if looked_up.live is None:
        return RowDecision(Status.REJECTED, NO_SUCH_CUSTOMER)
    if conflict := looked_up.conflict:
        return RowDecision(Status.INVALID, f"{conflict.column}: {conflict.message}")
    if not looked_up.to_send:
        reason = describe_kept(kept) if kept else SAME
        return RowDecision(Status.UNCHANGED, reason, was_read=True, kept=kept)
    to_send = looked_up.to_send
    if wholesale_needs_business_name:
        companions = {_NEEDS_COMPANY[name] for name in to_send if name in _NEEDS_COMPANY}.difference(kept)
        to_send = tuple(name for name in looked_up.row.fields if name in to_send or name in companions)
    return RowDecision(Status.NOT_ATTEMPTED, "", to_send, was_read=True, kept=kept)


def narrow(row: CheckedRow, names: Collection[str], rating_format: str) -> CheckedRow:
    """Return the row with only those of its fields that are named."""
    fields = tuple(name for name in row.fields if name in names)
    return row._replace(fields=fields, body=filter_body(row.body or "{}", fields, rating_format))
