"""The list of corrected cells, of an upload or of a run."""

from __future__ import annotations

from collections.abc import Sequence

from flask import render_template

from bulkupdate.customers.models import Correction
from bulkupdate.runs.run_records import Run
from bulkupdate.web.uploads.problem_list import PAGE_ROWS
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.history_views import read_page


def show_corrections(
    cells: Sequence[Correction],
    *,
    name: str,
    upload: Upload | None = None,
    run: Run | None = None,
    is_own: bool = False,
) -> str:
    """Return one page of the corrections of an upload, or of a run; `is_own`: they can be undone."""
    page = read_page()
    return render_template(
        "corrections.html",
        upload=upload,
        run=run,
        name=name,
        cells=cells[(page - 1) * PAGE_ROWS : page * PAGE_ROWS],
        total=len(cells),
        page=page,
        last_page=max(1, -(-len(cells) // PAGE_ROWS)),
        is_own=is_own,
    )
