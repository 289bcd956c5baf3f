"""The columns that our own sheets add to those of the user, so that such a sheet can be sent again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from bulkupdate.customers.fields import CUSTOMER_ID, Field
from bulkupdate.customers.models import MATCH_COLUMN, REASON_COLUMN, RESULT_COLUMNS, TO_FIX_COLUMNS

_RESULTS_ONLY = {"HttpStatus", "FieldsSent", "FinishedAt"}


def find_added_columns(headings: Sequence[str], fields: Sequence[Field | None]) -> frozenset[int]:
    """Return the columns that our results, to-fix and matched sheets add.

    A sheet is taken for our results by the headings that no other sheet has. Its first CustomerId is ours if another
    column of ids follows. A to-fix sheet begins with its headings; users may have deleted one of them.
    """
    last = max((index for index, heading in enumerate(headings) if heading.strip()), default=-1)
    added = {last} if last >= 0 and headings[last] in (REASON_COLUMN, MATCH_COLUMN) else set()
    first = list(takewhile(TO_FIX_COLUMNS.__contains__, headings))
    if len(set(first)) >= len(TO_FIX_COLUMNS) - 1:
        added |= set(range(len(first)))
    if _RESULTS_ONLY.issubset(headings):
        added |= {headings.index(name) for name in RESULT_COLUMNS if name in headings}
        keys = [index for index, field in enumerate(fields) if field is CUSTOMER_ID]
        if len(keys) < 2:
            added.difference_update(keys)
    return frozenset(added)
