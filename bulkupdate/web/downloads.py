"""Files that go to the browser: always as a download, under a name that no program misreads."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePosixPath

from flask import Response, send_file

from bulkupdate.runs.records import Run, RunState
from bulkupdate.runs.report import write_run_results
from bulkupdate.spreadsheets.results import to_fix_path
from bulkupdate.spreadsheets.template import write_template
from bulkupdate.web.site import Site

RESULTS = "results.xlsx"
_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
}


def send_download(path: Path, name: str) -> Response:
    """That file, called `name` at the person's own machine."""
    response = send_file(path, _TYPES[path.suffix], as_attachment=True, download_name=name, etag=False, max_age=None)
    response.headers["Cache-Control"] = "no-store"
    return response


def name_download(shown: str, what: str, ending: str = ".xlsx") -> str:
    """`customers-results.xlsx` for the results of `customers.csv`."""
    return f"{PurePosixPath(shown.replace(chr(92), '/')).stem or 'sheet'}-{what}{ending}"


def send_template(ending: str) -> Response:
    """The sheet to fill in."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"customers{ending}"
        write_template(path)
        return send_download(path, path.name)  # the file is open already: its name may go


def results_of(site: Site, run: Run) -> tuple[Path, Path | None]:
    """The results of a run that is not at work, and its to-fix sheet; written again from the journal unless they are
    there. The second is None where every row went through."""
    path = site.uploads.place_of(run.id) / RESULTS
    if run.state is RunState.FINISHED and path.exists() and Path(run.results_path) == path.resolve():
        to_fix = to_fix_path(path)
        return path, to_fix if to_fix.exists() else None
    return write_run_results(run, site.journal, path)
