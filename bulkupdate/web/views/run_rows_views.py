"""What went wrong in a run: its rows with filter and search, and a new sheet of those that are to be fixed."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path, PurePath

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.run_records import TO_FIX, Run
from bulkupdate.spreadsheets.writing.to_fix_sheet import write_to_fix
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.paging import read_page_number
from bulkupdate.web.run_access import find_ended_run, record_event
from bulkupdate.web.run_rows import RowFilter, choose_rows, find_rows, list_reasons, list_statuses
from bulkupdate.web.sheet_checks import check_briefly
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.history_views import name_file
from bulkupdate.web.views.upload_views import require_allowance

pages = Blueprint("run_rows", __name__)

_MAX_SEARCH = 200


@pages.route("/runs/<run_id>/rows", methods=["GET", "POST"])
def show(run_id: str) -> str | Response:
    """Return the rows of a run; a search is a POST, so that what is searched for is in no address and no log."""
    context, run = current_context(), find_ended_run(run_id)
    wanted, problems = _read_filter(), context.journal.problems(run)
    reasons = list_reasons(run, context.journal, problems)
    counts = context.journal.tally(run)
    return render_template(
        "run_rows.html",
        run=run,
        name=name_file(run),
        wanted=wanted,
        reasons=reasons,
        counts=counts,
        chosen=next((reason for reason in reasons if reason.key == wanted.show), None),
        page=find_rows(run, context.journal, wanted, reasons, problems),
        to_fix=sum(counts[status] for status in TO_FIX),
    )


@pages.post("/runs/<run_id>/fix")
def fix(run_id: str) -> Response:
    """Make a new sheet of the rows to fix that a filter chooses, and check it: it is corrected and sent by itself."""
    run = find_ended_run(run_id)
    require_allowance()
    stored = _store_rows(run, _read_filter())
    check_briefly(stored)
    record_event(f"took the rows to fix of {run.id}", stored.id)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


def _store_rows(run: Run, wanted: RowFilter) -> Upload:
    """Store the to-fix sheet of these rows as an upload of this user, read as the file of the run was."""
    context, user = current_context(), current_user()
    problems = context.journal.problems(run)
    rows = choose_rows(run, context.journal, wanted, list_reasons(run, context.journal, problems))
    found = context.journal.lines(run, TO_FIX) if rows is None else context.journal.find_lines(run, rows)
    statuses = TO_FIX if rows is not None or not wanted.show else list_statuses(wanted.show)
    lines = [line for line in found if line.status in TO_FIX and line.status in statuses]
    if not lines:
        abort(409, "None of these rows can be corrected. Only invalid and rejected rows can; Resume sends the others.")
    parent = context.uploads.find(run.id)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.xlsx"
        write_to_fix(path, run.headings, lines, problems)
        options = replace(parent.options, sheet=None, encoding=None) if parent else SheetOptions()
        with path.open("rb") as stream:
            stored = context.uploads.add(
                stream, user.identity, user.host, f"{PurePath(name_file(run)).stem}-to-fix.xlsx", ".xlsx", options
            )
    return stored if parent is None else context.uploads.copy_reading(parent, stored)


def _read_filter() -> RowFilter:
    return RowFilter(
        show=request.values.get("show", ""),
        search=request.form.get("search", "").strip()[:_MAX_SEARCH],
        page=read_page_number(),
    )
