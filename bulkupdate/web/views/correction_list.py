"""The list of corrected cells, of an upload or of a run."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template

from bulkupdate.customers.models import Correction
from bulkupdate.runs.run_records import Run
from bulkupdate.web.paging import PAGE_ROWS, Paging, count_skipped, read_page_number
from bulkupdate.web.uploads.upload_store import Upload


def show_corrections(
    cells: Sequence[Correction],
    *,
    name: str,
    upload: Upload | None = None,
    run: Run | None = None,
    is_own: bool = False,
) -> str:
    """Return one page of the corrections of an upload, or of a run; `is_own`: they can be undone."""
    number = read_page_number()
    skipped = count_skipped(number)
    return render_template(
        "corrections.html",
        upload=upload,
        run=run,
        name=name,
        cells=cells[skipped : skipped + PAGE_ROWS],
        at=Paging(number, len(cells)),
        is_own=is_own,
    )
