"""The downloads of a run: results, rows to fix, undo sheet, and all of them in one archive."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, abort

from bulkupdate.web.downloads import (
    CANNOT_UNDO,
    NOTHING_TO_RESTORE,
    has_undo,
    make_results,
    make_undo_download,
    name_download,
    send_archive,
    send_download,
)
from bulkupdate.web.page_context import current_context
from bulkupdate.web.run_access import find_ended_run, find_run, record_event
from bulkupdate.web.uploads.check_worker import list_reports
from bulkupdate.web.views.history_views import name_file

pages = Blueprint("downloads", __name__)


@pages.get("/runs/<run_id>/<any('results', 'to-fix'):what>.xlsx")
def results(run_id: str, what: str) -> Response:
    """Return the result of each row; or the rows to fix, in the format of the upload."""
    run = find_ended_run(run_id)
    path, to_fix = make_results(current_context(), run)
    wanted = path if what == "results" else to_fix
    if wanted is None:
        abort(404)
    record_event(f"downloaded {what}", run_id)
    return send_download(wanted, name_download(name_file(run), what))


@pages.get("/runs/<run_id>/results.csv")
def results_csv(run_id: str) -> Response:
    """Return the result of each row as CSV."""
    run = find_ended_run(run_id)
    path, _ = make_results(current_context(), run, ".csv")
    record_event("downloaded results", run_id)
    return send_download(path, name_download(name_file(run), "results", ".csv"))


@pages.get("/runs/<run_id>/undo.xlsx")
def undo(run_id: str) -> Response:
    """Return the sheet that restores the previous values; it is uploaded like any other."""
    run = find_run(run_id)
    if not has_undo(current_context(), run):
        abort(409, CANNOT_UNDO)
    path = make_undo_download(current_context(), run)
    if path is None:
        abort(409, NOTHING_TO_RESTORE)
    record_event("downloaded undo", run_id)
    return send_download(path, name_download(name_file(run), "undo"))


@pages.get("/runs/<run_id>/all.zip")
def everything(run_id: str) -> Response:
    """Return all of these, the uploaded sheet and its check reports in one archive."""
    context, run = current_context(), find_ended_run(run_id)
    name, upload = name_file(run), context.uploads.find(run_id)
    workbook, to_fix = make_results(context, run)
    undo_sheet = make_undo_download(context, run) if has_undo(current_context(), run) else None
    made: list[tuple[Path | None, str]] = [(workbook, "results"), (to_fix, "to-fix"), (undo_sheet, "undo")]
    made += [(make_results(context, run, ".csv")[0], "results")]
    made += [(path, "check") for path in (list_reports(upload) if upload else []) if path.exists()]
    files = [(path, name_download(name, what, path.suffix)) for path, what in made if path is not None]
    if upload is not None:
        files += zip(upload.files, (name_download(name, "sheet", upload.path.suffix), upload.lookup), strict=False)
    record_event("downloaded all", run_id)
    return send_archive(files, name_download(name, "all", ".zip"))
