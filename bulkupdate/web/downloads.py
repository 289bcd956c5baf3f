"""Files for the browser: always sent as a download, with a name that is valid on every system."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path, PurePath
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile

from flask import Response, send_file

from bulkupdate.clock import parse_utc
from bulkupdate.customers.models import Status
from bulkupdate.runs.reporting.results import write_run_results
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.undo_sheet import Restoration, find_restorations, make_undo_sheet
from bulkupdate.spreadsheets.writing.customer_sheet import write_customer_sheet
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.template_sheet import write_template
from bulkupdate.spreadsheets.writing.to_fix_sheet import to_fix_path
from bulkupdate.web.page_context import PageContext
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.uploads.upload_store import RESULTS

UNDO_SHEET = "undo.xlsx"
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
_BLOCK_BYTES = 1 << 16


def send_download(path: Path, name: str) -> Response:
    """Return the file as a download called `name`."""
    response = send_file(path, _TYPES[path.suffix], as_attachment=True, download_name=name, etag=False, max_age=None)
    response.headers["Cache-Control"] = "no-store"
    return response


class _Pending:
    """A stream without a place of its own: what is written waits until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """Keep the data."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: data is taken, not pushed on."""

    def take(self) -> bytes:
        """Return what was written since it was last taken."""
        taken, self._parts = b"".join(self._parts), []
        return taken


def send_archive(files: Sequence[tuple[Path, str]], name: str) -> Response:
    """Return an archive of these files, each under the name beside it; it is made while it is sent."""
    with ExitStack() as stack:
        streams = [(stack.enter_context(path.open("rb")), entry) for path, entry in files]
        stack = stack.pop_all()  # closed when the archive has been sent: a file may be deleted meanwhile
    response = Response(_pack(streams), mimetype="application/zip")
    response.call_on_close(stack.close)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _pack(streams: Sequence[tuple[IO[bytes], str]]) -> Iterator[bytes]:
    pending = _Pending()
    with ZipFile(pending, "w", ZIP_DEFLATED) as archive:  # type: ignore[call-overload]  # needs no more than write
        for stream, name in streams:
            with archive.open(name, "w", force_zip64=True) as entry:
                while block := stream.read(_BLOCK_BYTES):
                    entry.write(block)
                    yield pending.take()
    yield pending.take()


def name_download(filename: str, what: str, ending: str = ".xlsx") -> str:
    """Return `customers-results.xlsx` for the results of `customers.csv`; characters invalid in names become `_`."""
    return f"{_NOT_IN_NAMES.sub('_', PurePath(filename).stem) or 'sheet'}-{what}{ending}"


def send_template(ending: str) -> Response:
    """Return the blank template."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"customers{ending}"
        write_template(path)
        return send_download(path, path.name)  # the file is open already, so its name may be deleted


CANNOT_UNDO = "This run cannot be undone: it is still being sent, or has kept no previous values."
NOTHING_TO_RESTORE = "This run changed nothing that could be restored."


def has_undo(context: PageContext, run: Run) -> bool:
    """Return whether the run has kept previous values that can be restored now."""
    if not run.options.snapshot or context.state_of(run) is RunState.RUNNING:
        return False
    counts = context.journal.tally(run)
    return counts[Status.NOT_ATTEMPTED] < counts.rows


def make_results(context: PageContext, run: Run, ending: str = ".xlsx") -> tuple[Path, Path | None]:
    """Return the results of a run that is not running, and its to-fix sheet, None if every row was updated.

    Both are written from the journal unless they exist already; `ending` is that of the results.
    """
    path = (context.uploads.folder_of(run.id) / RESULTS).with_suffix(ending)
    if (
        run.state is RunState.FINISHED
        and path.exists()
        and (Path(run.results_path) == path.resolve() or path.stat().st_mtime > parse_utc(run.finished))
    ):
        to_fix = to_fix_path(path)
        return path, to_fix if to_fix.exists() else None
    options = replace(run.options, reading="")  # these are options of the command line
    worded = replace(run, stopped_by=say_on_page(run.stopped_by, context.settings.state_dir), options=options)
    return write_run_results(worded, context.journal, path)


def make_undo_download(context: PageContext, run: Run) -> Path | None:
    """Return the sheet that restores what a run changed; None if there is nothing to restore."""
    restorations = find_restorations(context.journal, run)
    return write_undo(context, run, restorations) if restorations else None


def write_undo(context: PageContext, run: Run, restorations: list[Restoration]) -> Path:
    """Write the sheet with these previous values, and return it."""
    sheet = make_undo_sheet(restorations)
    path = context.uploads.folder_of(run.id) / UNDO_SHEET
    write_customer_sheet(path, sheet.names, sheet.rows, sheet.remarks, OwnFileKind.UNDO, sheet.restored)
    return path
