"""Exporting live customers as a sheet to edit: the choice, the cost, the progress and the download."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.clock import format_utc
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.runs.new_run import new_run_id
from bulkupdate.text import fold_name
from bulkupdate.web.downloads import name_download, send_download
from bulkupdate.web.exports import (
    SHEET,
    CustomerExport,
    count_everyone,
    count_listed,
    list_ids,
    read_export,
    save_export,
    write_export,
)
from bulkupdate.web.jobs import Job
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.plan import estimate_reads
from bulkupdate.web.run_access import record_event
from bulkupdate.web.uploads.check_outcome import read_outcome
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.upload_views import find_upload
from bulkupdate.web.waiting import describe_wait, explain_failure, stop_reading, wait_briefly

pages = Blueprint("exports", __name__)

_STOPPED = "It was stopped before all customers were read."
MAX_EXPORTS = 50
"""How many a user may keep."""

_SUFFIX = "-export"
"""What the names of these jobs end with."""


@pages.get("/exports")
def home() -> str:
    """Return the form, and the exports of this user."""
    source = find_upload(wanted) if (wanted := request.args.get("sheet", "")) else None
    return render_template("exports.html", source=source, exports=_list_own())


@pages.post("/exports")
def ask() -> AnyResponse:
    """Record an export, and count what it costs; nothing else is read yet."""
    context, user = current_context(), current_user()
    source = find_upload(wanted) if (wanted := request.form.get("sheet", "")) else None
    if source is None:
        _require_no_other("")
    if len(_list_own()) >= MAX_EXPORTS:
        abort(429, f"You have {MAX_EXPORTS} exports. Delete one that you no longer need, and try again.")
    now = context.clock.now()
    export = CustomerExport(
        new_run_id(now), user.identity, user.host, format_utc(now), source.id if source else "",
        source.name if source else "", request.form.get("fields") == "short",
    )  # fmt: skip
    if source is not None:
        export = _with_cost(export, count_listed(export, list_ids(_open_check(source))))
    save_export(context.uploads.folder_of(export.id), export)
    if source is None:
        _count(export)
    return redirect(url_for("exports.show", export_id=export.id), 303)


@pages.get("/exports/<export_id>")
def show(export_id: str) -> str:
    """Return the cost of an export, its progress, or its download."""
    job = current_context().jobs.find(export_id + _SUFFIX)  # before the record that it writes
    export = _find_own(export_id)
    is_to_read = job is None and export.written is None and export.requests is not None
    return render_template(
        "export.html",
        export=export,
        job=job,
        plan=estimate_reads(export.requests or 0) if is_to_read else None,
        waiting=describe_wait(job),
        error=explain_failure(export.id + _SUFFIX, _STOPPED) if job is None else "",
    )


@pages.post("/exports/<export_id>/read")
def read(export_id: str) -> AnyResponse:
    """Read the customers with the login of this user; or count them, if that has failed before."""
    context, export = current_context(), _find_own(export_id)
    if export.requests is None:
        _count(export)
    elif export.written is None:
        source = context.uploads.find(export.source) if export.source else None
        if export.source and source is None:
            abort(409, "The sheet whose customers were to be read has been deleted. Upload it again.")
        ids, folder = list_ids(_open_check(source)) if source else None, context.uploads.folder_of(export.id)

        def work(run_context: RunContext, watch: WatchReading) -> None:
            written, unknown = write_export(export, ids, folder, run_context, watch)
            save_export(folder, replace(export, written=written, unknown=unknown))

        _launch(Job(export.id + _SUFFIX, current_user(), 0, work, export.total or 0))
        record_event("exported customers", export.id)
    return redirect(url_for("exports.show", export_id=export.id), 303)


@pages.post("/exports/<export_id>/stop")
def stop(export_id: str) -> AnyResponse:
    """Stop reading."""
    export = _find_own(export_id)
    stop_reading(current_context().jobs.find(export.id + _SUFFIX))
    return redirect(url_for("exports.show", export_id=export.id), 303)


@pages.post("/exports/<export_id>/remove")
def remove(export_id: str) -> AnyResponse:
    """Delete an export that is not being read."""
    context, export = current_context(), _find_own(export_id)
    if context.jobs.find(export.id + _SUFFIX) is None:
        context.uploads.remove(export.id)
        record_event("deleted export", export.id)
    return redirect(url_for("exports.home"), 303)


@pages.get("/exports/<export_id>/customers.xlsx")
def download(export_id: str) -> Response:
    """Return the sheet."""
    export = _find_own(export_id)
    path = current_context().uploads.folder_of(export.id) / SHEET
    if export.written is None or not path.exists():
        abort(404)
    record_event("downloaded export", export.id)
    return send_download(path, name_download(export.name or "customers.xlsx", "export"))


def _count(export: CustomerExport) -> None:
    folder = current_context().uploads.folder_of(export.id)

    def work(run_context: RunContext, _watch: WatchReading) -> None:
        save_export(folder, _with_cost(export, count_everyone(export, run_context)))

    _launch(Job(export.id + _SUFFIX, current_user(), 0, work))


def _launch(job: Job) -> None:
    """Begin to read, unless the user has another export under way."""
    context = current_context()
    with context.one_at_a_time(f"{job.session.user_key}{_SUFFIX}"):
        _require_no_other(job.run_id)
        begun = context.jobs.launch(job)
    wait_briefly(begun)


def _require_no_other(job_id: str) -> None:
    """Answer 409 if the user has an export under way that is not this one."""
    own = [job for job in current_context().jobs.alive() if job.session.user_key == current_user().user_key]
    if any(job.run_id.endswith(_SUFFIX) and job.run_id != job_id for job in own):
        abort(409, "Another export of yours is under way. Wait until it has ended, or stop it.")


def _with_cost(export: CustomerExport, cost: tuple[int, int]) -> CustomerExport:
    return replace(export, requests=cost[0], total=cost[1])


def _open_check(source: Upload) -> StoredCheck:
    outcome = read_outcome(source)
    if outcome is None or not outcome.has_rows:
        abort(409, "The customers of this sheet are not known: it has not been checked, or was refused.")
    return StoredCheck(source.path, source.name, outcome)


def _list_own() -> list[CustomerExport]:
    """Return the exports of this user, newest first."""
    folders = sorted(current_context().uploads.folder.glob("*"), reverse=True)
    exports = (read_export(folder) for folder in folders)
    return [export for export in exports if export is not None and _is_own(export)]


def _find_own(export_id: str) -> CustomerExport:
    """Return the export if it is this user's; else answer 404."""
    folder = current_context().uploads.find_folder(export_id)
    export = read_export(folder) if folder is not None else None
    if export is None or not _is_own(export):
        abort(404)
    return export


def _is_own(export: CustomerExport) -> bool:
    user = current_user()
    return fold_name(export.owner) == user.user_key and export.host == user.host
