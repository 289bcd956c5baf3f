"""The remarks of a sheet of customers, for `undo` and `export`."""

from __future__ import annotations

from collections.abc import Sequence

from bulkupdate.cli.console import Console
from bulkupdate.spreadsheets.writing.customer_sheet import Remark

_REMARKS_SHOWN = 10


def show_remarks(remarks: Sequence[Remark], console: Console) -> None:
    """Show which values a sheet does not hold exactly, and why."""
    for remark in remarks[:_REMARKS_SHOWN]:
        console.info(f"  note  customer {remark.customer_id}, {remark.field}: {remark.why}")
    if len(remarks) > _REMARKS_SHOWN:
        console.info(f"  … and {len(remarks) - _REMARKS_SHOWN:,} more such fields")
