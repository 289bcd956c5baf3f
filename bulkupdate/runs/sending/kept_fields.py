"""Apply the write policy to a row whose customer has just been read: what is only written if it is empty stays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from bulkupdate.customers.models import Status
from bulkupdate.customers.payload import LiveCustomer, decode_body, filter_body
from bulkupdate.customers.write_policy import describe_kept, find_kept
from bulkupdate.runs.live.diff import is_same
from bulkupdate.runs.run_records import PendingRow, RowOutcome


@dataclass(frozen=True)
class ProtectedRow:
    """A row as it may be sent, and the live values that are kept; with an `outcome` it is not sent at all."""

    row: PendingRow
    is_narrowed: bool = False
    kept: LiveCustomer = field(default_factory=dict)
    outcome: RowOutcome | None = None


def protect_row(
    row: PendingRow, live: LiveCustomer, guarded: Collection[str], rating_format: str, now: str
) -> ProtectedRow:
    """Leave out the guarded fields that are not empty.

    A row that may have been applied already is sent as before, or, if others have filled a field meanwhile, not again.
    """
    names = find_kept(row.fields, live, guarded)
    if row.may_be_applied:
        wanted = decode_body(row.body)
        names = tuple(name for name in names if not is_same(wanted[name], live.get(name)))
    if not names:
        return ProtectedRow(row)
    kept = {name: live[name] for name in names if name in live}
    left = tuple(name for name in row.fields if name not in names)
    if left and not row.may_be_applied:
        body = filter_body(row.body, left, rating_format)
        return ProtectedRow(replace(row, body=body, fields=left), True, kept)
    reason = f"{describe_kept(names)}: not sent again" if row.may_be_applied else describe_kept(names)
    return ProtectedRow(row, kept=kept, outcome=row.withhold(Status.UNCHANGED, reason, now))
