"""From a sheet to a run: upload, what the check found, the plan, the start."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.errors import InputFileError, InterruptedRunError, StoppedError
from bulkupdate.runs.input_file import SheetOptions
from bulkupdate.runs.runner import RunOptions, create_run
from bulkupdate.spreadsheets.reading.sheet import NumberChoice
from bulkupdate.spreadsheets.reading.text_encoding import LIKELY_ENCODINGS, sample_texts
from bulkupdate.spreadsheets.writing.annotated_copy import annotated_path, annotation_blocker
from bulkupdate.web.check_store import PAGE_ROWS, CheckOutcome, KeptCheck, ProblemFilter, forget_outcome, read_outcome
from bulkupdate.web.check_worker import REPORT, SECONDS, Task, limit_settings
from bulkupdate.web.downloads import RESULTS, name_download, send_download, send_template
from bulkupdate.web.filenames import clean_name, require_sheet_name
from bulkupdate.web.history_views import list_history
from bulkupdate.web.live_preview import MOST_ROWS, look
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.plan_view import find_earlier, make_plan
from bulkupdate.web.upload_store import Upload

pages = Blueprint("sheets", __name__)
log = logging.getLogger("bulkupdate.web")

PATIENCE_SECONDS = 2.5
"""So long an upload waits for its check; then a page that refreshes itself takes over."""

RECENT = 5
_SHEET_NAME_LENGTH = 200


@pages.get("/")
def home() -> str:
    """Where a sheet is dropped."""
    return _show_home(None)


@pages.get("/template<any('.xlsx', '.csv'):ending>")
def template(ending: str) -> Response:
    """Return the sheet to fill in."""
    return send_template(ending)


@pages.post("/sheets")
def upload() -> AnyResponse | tuple[str, int]:
    """Take a file, and have it checked at once."""
    file = request.files.get("sheet")
    if file is None or not file.filename:
        return _show_home("Choose a file first."), 400
    try:
        kept = _keep(file)
    except InputFileError as error:
        return _show_home(f"{error} {error.remedy or ''}"), 400
    _check(kept).wait(PATIENCE_SECONDS)
    log.info("sheet %s: uploaded", kept.id)
    return redirect(url_for("sheets.show", upload_id=kept.id), 303)


def _keep(file: FileStorage) -> Upload:
    name = clean_name(file.filename or "")
    ending = require_sheet_name(name)
    options = SheetOptions(
        sheet=request.form.get("sheet_name", "").strip()[:_SHEET_NAME_LENGTH] or None,
        decimal_mark="," if request.form.get("decimal_mark") == "," else ".",
        ignore_unknown="ignore_unknown" in request.form,
        encoding=_read_encoding(),
        numbers=_read_numbers(),
    )
    return current_context().uploads.add(
        file.stream, current_user().username, current_user().host, name, ending, options
    )


def _read_encoding() -> str | None:
    """Return the encoding chosen in the form; None if the program is to find it out."""
    chosen = request.form.get("encoding", "")
    return chosen if chosen in LIKELY_ENCODINGS or chosen == "utf-8" else None


def _read_numbers() -> NumberChoice | None:
    """Return what counts of rounded numbers, as chosen in the form; None to refuse them."""
    choices: dict[str, NumberChoice] = {"displayed": "displayed", "stored": "stored"}
    return choices.get(request.form.get("numbers", ""))


@pages.post("/sheets/<upload_id>/read-as")
def read_as(upload_id: str) -> AnyResponse:
    """Check a sheet again, read with another encoding or another choice of numbers."""
    kept = find_upload(upload_id)
    if not current_context().owns(current_user(), kept):
        abort(403, "Only the user who uploaded a sheet can change how it is read.")
    with current_context().jobs.one_at_a_time():
        if not _has_run(kept):
            changed = replace(kept, encoding=_read_encoding() or kept.encoding, numbers=_read_numbers() or kept.numbers)
            current_context().uploads.save(changed)
            forget_outcome(kept.folder)
            _check(changed).wait(PATIENCE_SECONDS)
    return redirect(url_for("sheets.show", upload_id=kept.id), 303)


@pages.get("/sheets/<upload_id>")
def show(upload_id: str) -> str | AnyResponse:
    """Return what the check found, and the plan."""
    kept = find_upload(upload_id)
    if _has_run(kept):
        return redirect(url_for("run_pages.show", run_id=kept.id), 303)
    outcome = read_outcome(kept.folder)
    if outcome is None:
        _check(kept)
        return render_template("checking.html", upload=kept)
    if outcome.is_refused:
        return render_template("refused.html", upload=kept, outcome=outcome, samples=_sample_encodings(kept, outcome))
    return _show_check(kept, outcome)


def _show_check(kept: Upload, outcome: CheckOutcome) -> str:
    check = KeptCheck(kept.path, kept.name, outcome)
    wanted = _read_filter()
    problems, total = check.page_problems(wanted) if outcome.problems else ([], 0)
    with current_context().open_parts(current_user()) as parts:
        plan, earlier = make_plan(parts, outcome.to_send), find_earlier(parts, outcome.sha256)
    return render_template(
        "sheet.html",
        upload=kept,
        outcome=outcome,
        plan=plan,
        earlier=earlier,
        problems=problems,
        total=total,
        wanted=wanted,
        last_page=max(1, -(-total // PAGE_ROWS)),
        columns=check.list_choices("heading") if outcome.problems else [],
        codes=check.list_choices("code") if outcome.problems else [],
        why_no_copy=annotation_blocker(kept.path, outcome.rows),
        samples=_sample_encodings(kept, outcome),
        has_rounded=any(group.code == "rounded-display" for group in outcome.groups),
        may_start=current_context().may_start(current_user(), kept),
        is_own=current_context().owns(current_user(), kept),
        looked_at=min(MOST_ROWS, outcome.to_send),
    )


def _sample_encodings(kept: Upload, outcome: CheckOutcome) -> list[tuple[str, tuple[str, ...]]]:
    """Return likely encodings with the first texts as each would read them, if the encoding is not certain."""
    is_doubtful = "encoding" in outcome.message or any(group.code == "guessed-encoding" for group in outcome.groups)
    if not is_doubtful or kept.path.suffix not in (".csv", ".tsv"):
        return []
    samples = ((codec, sample_texts(kept.path, codec)) for codec in LIKELY_ENCODINGS)
    return [(codec, texts) for codec, texts in samples if texts]


def _read_filter() -> ProblemFilter:
    page = request.args.get("page", "1")
    return ProblemFilter(
        column=request.args.get("column", ""),
        code=request.args.get("code", ""),
        severity=request.args.get("severity", ""),
        page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
    )


@pages.get("/sheets/<upload_id>/<any('report', 'annotated'):what>.xlsx")
def report(upload_id: str, what: str) -> Response:
    """Return the check report, or the person's own sheet with its cells marked; written when first asked for."""
    kept = find_upload(upload_id)
    path = kept.folder / REPORT
    if not path.exists():
        _submit(kept, is_report=True).wait(SECONDS + 5)
    wanted = path if what == "report" else annotated_path(path)
    if not wanted.exists():
        abort(404)
    return send_download(wanted, name_download(kept.name, "check" if what == "report" else "marked"))


@pages.post("/sheets/<upload_id>/changes")
def changes(upload_id: str) -> str | AnyResponse:
    """Before and after of the first customers. A POST: it spends calls of the person's quota."""
    kept = find_upload(upload_id)
    outcome = read_outcome(kept.folder)
    if outcome is None or outcome.is_refused:
        return redirect(url_for("sheets.show", upload_id=kept.id), 303)
    found, trouble = None, ""
    with current_context().open_parts(current_user()) as parts:
        try:
            found = look(parts, KeptCheck(kept.path, kept.name, outcome))
        except (StoppedError, InterruptedRunError) as error:
            trouble = str(error)
    return render_template("changes.html", upload=kept, outcome=outcome, found=found, trouble=trouble)


@pages.post("/sheets/<upload_id>/start")
def start(upload_id: str) -> AnyResponse:
    """Begin the run, once: a second click, a reload or a step back leads to the same run."""
    kept = find_upload(upload_id)
    if not current_context().may_start(current_user(), kept):
        abort(403, "Another user, signed in with their own login, has to start this one.")
    outcome = read_outcome(kept.folder)
    if outcome is None or outcome.is_refused or not outcome.to_send:
        return redirect(url_for("sheets.show", upload_id=kept.id), 303)
    if outcome.invalid and "skip_invalid" not in request.form:
        abort(400, "Some rows are invalid. Fix them, or tick the box that leaves them out.")
    with current_context().jobs.one_at_a_time():
        if not _has_run(kept):
            _begin(kept, outcome)
            log.info("run %s: started, %d rows to send", kept.id, outcome.to_send)
            current_context().jobs.launch(kept.id, current_user())
    return redirect(url_for("run_pages.show", run_id=kept.id), 303)


def _begin(kept: Upload, outcome: CheckOutcome) -> None:
    options = RunOptions(
        skip_invalid=outcome.invalid > 0, verify="verify" in request.form, snapshot="snapshot" in request.form
    )
    with current_context().open_parts(current_user()) as parts:
        create_run(parts, kept.id, KeptCheck(kept.path, kept.name, outcome), options, kept.folder / RESULTS)


@pages.post("/sheets/<upload_id>/remove")
def remove(upload_id: str) -> AnyResponse:
    """Forget a sheet that has not been sent."""
    kept = find_upload(upload_id)
    if not current_context().owns(current_user(), kept):
        abort(403, "Only the user who uploaded a sheet can delete it.")
    with current_context().jobs.one_at_a_time():
        if not _has_run(kept):
            current_context().uploads.remove(kept.id)
    return redirect(url_for("sheets.home"), 303)


def find_upload(upload_id: str) -> Upload:
    """Return the upload, if it is for this person's eyes; else the page says that there is none."""
    kept = current_context().uploads.find(upload_id)
    if kept is None or not current_context().may_see_upload(current_user(), kept):
        abort(404)
    run = current_context().find_run(upload_id)
    if run is not None and not current_context().may_see_run(current_user(), run):
        abort(404)
    return kept


def _has_run(kept: Upload) -> bool:
    return current_context().find_run(kept.id) is not None


def _check(kept: Upload) -> threading.Event:
    return _submit(kept, is_report=False)


def _submit(kept: Upload, *, is_report: bool) -> threading.Event:
    task = Task(kept, limit_settings(current_context().settings), is_report)
    return current_context().checks.submit(kept.owner, task)


def _show_home(trouble: str | None) -> str:
    return render_template(
        "home.html", trouble=trouble, entries=list_history(current_context(), current_user(), RECENT),
        most_bytes=current_context().settings.upload_bytes, encodings=LIKELY_ENCODINGS,
    )  # fmt: skip
