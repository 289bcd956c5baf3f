"""Files for the browser: always sent as a download, with a name that is valid on every system."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path, PurePath

from flask import Response, send_file

from bulkupdate.runs.results import write_run_results
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.undo_sheet import find_restorations, make_undo_sheet
from bulkupdate.spreadsheets.writing.customer_sheet import write_customer_sheet
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.template_sheet import write_template
from bulkupdate.spreadsheets.writing.to_fix_sheet import to_fix_path
from bulkupdate.web.page_context import PageContext
from bulkupdate.web.page_words import say_on_page

RESULTS = "results.xlsx"
UNDO_SHEET = "undo.xlsx"
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
}


def send_download(path: Path, name: str) -> Response:
    """Return the file as a download called `name`."""
    response = send_file(path, _TYPES[path.suffix], as_attachment=True, download_name=name, etag=False, max_age=None)
    response.headers["Cache-Control"] = "no-store"
    return response


def name_download(filename: str, what: str, ending: str = ".xlsx") -> str:
    """Return `customers-results.xlsx` for the results of `customers.csv`; characters invalid in names become `_`."""
    return f"{_NOT_IN_NAMES.sub('_', PurePath(filename).stem) or 'sheet'}-{what}{ending}"


def send_template(ending: str) -> Response:
    """Return the blank template."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"customers{ending}"
        write_template(path)
        return send_download(path, path.name)  # the file is open already, so its name may be deleted


def make_results(context: PageContext, run: Run) -> tuple[Path, Path | None]:
    """Return the results of a run that is not running, and its to-fix sheet, None if every row was updated.

    Both are written from the journal unless they exist already.
    """
    path = context.uploads.folder_of(run.id) / RESULTS
    if run.state is RunState.FINISHED and path.exists() and Path(run.results_path) == path.resolve():
        to_fix = to_fix_path(path)
        return path, to_fix if to_fix.exists() else None
    worded = replace(run, stopped_by=say_on_page(run.stopped_by, context.settings.state_dir))
    return write_run_results(worded, context.journal, path)


def make_undo_download(context: PageContext, run: Run) -> Path | None:
    """Return the sheet that restores what a run changed; None if there is nothing to restore."""
    restorations = find_restorations(context.journal, run, context.settings.state_dir)
    if not restorations:
        return None
    sheet = make_undo_sheet(restorations)
    path = context.uploads.folder_of(run.id) / UNDO_SHEET
    write_customer_sheet(path, sheet.names, sheet.rows, sheet.remarks, OwnFileKind.UNDO, sheet.restored)
    return path
