"""A checked sheet: its problems, the plan, the live preview, and the start of the run."""

from __future__ import annotations

import hashlib
import logging

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bulkupdate.errors import InterruptedRunError, JournalError, SignInRefusedError, StoppedError
from bulkupdate.runs.estimate import estimate_requests
from bulkupdate.runs.guards import Excess, find_excess
from bulkupdate.runs.new_run import create_selected_run
from bulkupdate.runs.previous_runs import find_previous_run
from bulkupdate.runs.run_records import Run, RunOptions, RunState
from bulkupdate.runs.selection import count_selection_requests, make_selection
from bulkupdate.spreadsheets.reading.text_encoding import LIKELY_ENCODINGS, sample_texts
from bulkupdate.spreadsheets.writing.annotated_copy import annotated_path, annotation_blocker
from bulkupdate.web.check_outcome import CheckOutcome, read_outcome
from bulkupdate.web.check_store import PAGE_ROWS, ProblemFilter, StoredCheck
from bulkupdate.web.check_worker import MAX_SECONDS, REPORT
from bulkupdate.web.disk_space import is_full_error
from bulkupdate.web.downloads import RESULTS, name_download, send_download
from bulkupdate.web.live_preview import MAX_ROWS, preview_changes
from bulkupdate.web.page_context import current_context, current_user
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.permissions import may_see_run, may_start, needs_approval, owns_upload
from bulkupdate.web.search_views import show_search
from bulkupdate.web.upload_store import Upload
from bulkupdate.web.upload_views import find_startable, find_upload, has_run, submit_task

pages = Blueprint("checks", __name__)
log = logging.getLogger("bulkupdate.web")

CANARY_ROWS = 5  # customers that are sent and read back first, if the user asks for that
MAX_POLICY_REQUESTS = 200
"""How many requests the page makes before a run, to find out which fields are empty: its user waits for them."""

_OTHER_SERVER_TRIES = 100
_OTHER_SERVER_WAIT_SECONDS = 0.2


@pages.get("/sheets/<upload_id>")
def show(upload_id: str) -> str | AnyResponse:
    """Return the result of the check, and the plan."""
    stored = find_upload(upload_id)
    if has_run(stored):
        return redirect(url_for("runs.show", run_id=stored.id), 303)
    outcome = read_outcome(stored.folder)
    if outcome is None:
        submit_task(stored, is_report=False)
        return render_template("checking.html", upload=stored)
    if outcome.search_keys:
        return show_search(stored, outcome)
    samples = _sample_encodings(stored, outcome)
    if outcome.is_refused:
        return render_template(
            "refused.html", upload=stored, outcome=outcome, samples=samples, is_own=owns_upload(current_user(), stored)
        )
    return render_template(
        "sheet.html",
        upload=stored,
        outcome=outcome,
        samples=samples,
        why_no_copy=annotation_blocker(stored.path, outcome.rows),
        has_rounded=any(group.code == "rounded-display" for group in outcome.groups),
        may_start=may_start(current_context().settings, current_user(), stored),
        is_own=owns_upload(current_user(), stored),
        ambiguous=StoredCheck(stored.path, stored.name, outcome).list_ambiguous(MAX_ROWS) if outcome.ambiguous else [],
        preview_rows=min(MAX_ROWS, outcome.to_send),
        canary_rows=CANARY_ROWS,
        plan_digest=_digest_plan(stored, outcome),
        excess=_find_excess(stored, outcome),
        **_describe_plan(outcome),
        **_describe_problems(stored, outcome),
    )


def _digest_plan(stored: Upload, outcome: CheckOutcome) -> str:
    """Return by what an approval holds: the file's content, how it was read, and what may be written."""
    policy = current_context().settings.write_policy
    return hashlib.sha256(repr((outcome, stored.options, policy)).encode("utf-8", "surrogatepass")).hexdigest()


def _find_excess(stored: Upload, outcome: CheckOutcome) -> Excess | None:
    """Return what of a sheet is beyond the limits of the settings; None if it may be sent."""
    settings = current_context().settings
    if not (settings.max_changes or settings.max_clears):
        return None
    changes = StoredCheck(stored.path, stored.name, outcome).count_changes()
    return find_excess(changes, settings.max_changes, settings.max_clears)


def _describe_plan(outcome: CheckOutcome) -> dict[str, object]:
    state_dir = current_context().settings.state_dir
    with current_context().open_run_context(current_user()) as run_context:
        return {
            "plan": estimate_requests(run_context, updates=outcome.to_send),
            "previous": find_previous_run(run_context.journal, state_dir, outcome.sha256, run_context.host),
        }


def _describe_problems(stored: Upload, outcome: CheckOutcome) -> dict[str, object]:
    check = StoredCheck(stored.path, stored.name, outcome)
    chosen = _read_filter()
    problems, total = check.page_problems(chosen) if outcome.problems else ([], 0)
    return {
        "problems": problems,
        "total": total,
        "chosen": chosen,
        "last_page": max(1, -(-total // PAGE_ROWS)),
        "columns": check.list_choices("heading") if outcome.problems else [],
        "codes": check.list_choices("code") if outcome.problems else [],
    }


def _sample_encodings(stored: Upload, outcome: CheckOutcome) -> list[tuple[str, tuple[str, ...]]]:
    """Return likely encodings with the first texts as each would read them, if the encoding is not certain."""
    is_doubtful = "encoding" in outcome.message or any(group.code == "guessed-encoding" for group in outcome.groups)
    if not is_doubtful or stored.path.suffix not in (".csv", ".tsv"):
        return []
    return [(codec, texts) for codec in LIKELY_ENCODINGS if (texts := sample_texts(stored.path, codec))]


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
    """Return the check report, or the user's sheet with its bad cells marked; written on first use."""
    stored = find_upload(upload_id)
    path = stored.folder / REPORT
    if not path.exists():
        submit_task(stored, is_report=True).wait(MAX_SECONDS + 5)
    wanted = path if what == "report" else annotated_path(path)
    if not wanted.exists():
        abort(404)
    return send_download(wanted, name_download(stored.name, "check" if what == "report" else "marked"))


@pages.post("/sheets/<upload_id>/changes")
def changes(upload_id: str) -> str | AnyResponse:
    """Return the live preview of the first customers. A POST, because it costs requests of the user's quota."""
    stored = find_upload(upload_id)
    outcome = read_outcome(stored.folder)
    if outcome is None or outcome.is_refused:
        return redirect(url_for("checks.show", upload_id=stored.id), 303)
    preview, error = None, ""
    with current_context().open_run_context(current_user()) as run_context:
        try:
            preview = preview_changes(run_context, StoredCheck(stored.path, stored.name, outcome))
        except SignInRefusedError:
            current_context().end_refused(current_user())
            return redirect(url_for("auth.show"), 303)
        except (StoppedError, InterruptedRunError) as stopped:
            if is_full_error(stopped):
                raise
            error = say_on_page(str(stopped), current_context().settings.state_dir)
    return render_template("changes.html", upload=stored, outcome=outcome, preview=preview, error=error)


@pages.post("/sheets/<upload_id>/start")
def start(upload_id: str) -> AnyResponse:
    """Start the run, once: a second click, a reload or a step back leads to the same run."""
    context, user, stored = current_context(), current_user(), find_startable(upload_id)
    if (run := context.find_run(stored.id)) is not None:
        return _show_started(run)
    if not may_start(context.settings, user, stored):
        abort(403, "Another user, signed in with their own login, has to start this one.")
    outcome = read_outcome(stored.folder)
    if outcome is None or outcome.is_refused or not outcome.to_send:
        return redirect(url_for("checks.show", upload_id=stored.id), 303)
    approved = request.form.get("plan", "")
    if (approved or needs_approval(context.settings)) and approved != _digest_plan(stored, outcome):
        abort(409, "The plan is not the one that you have seen: the sheet was checked again. Look at it first.")
    if outcome.invalid and "skip_invalid" not in request.form:
        abort(400, "Some rows are invalid. Fix them, or tick the box that leaves them out.")
    if "beyond_limit" not in request.form and (excess := _find_excess(stored, outcome)):
        abort(400, f"{excess.message} Nothing was sent. Tick the box that allows it once if the sheet is right.")
    with context.jobs.one_at_a_time(outcome.sha256), context.jobs.one_at_a_time(stored.id):
        _require_not_being_sent(stored, outcome)
        if not has_run(stored) and _create_run(stored, outcome):
            log.info("run %s: started, %d rows to send", stored.id, outcome.to_send)
            event = "approved and started" if needs_approval(context.settings) else "started"
            context.audit.record(event, user=user.identity, address=request.remote_addr or "", about=stored.id)
            context.jobs.launch(stored.id, user)
    run = context.find_run(stored.id)
    assert run is not None  # it has just been created, here or by another server
    return _show_started(run)


def _require_not_being_sent(stored: Upload, outcome: CheckOutcome) -> None:
    """Answer 409 if the same file is being sent now by another run, unless the user has agreed to that."""
    context = current_context()
    previous = find_previous_run(context.journal, context.settings.state_dir, outcome.sha256, stored.host)
    is_running = previous is not None and previous.id != stored.id and previous.state is RunState.RUNNING
    if is_running and "again" not in request.form:
        abort(409, "This file is being sent by another run now. Go back to its plan and reload it to send it again.")


def _show_started(run: Run) -> AnyResponse:
    """Lead to the run, unless another user has started it meanwhile and it is not for this user's eyes."""
    context, user = current_context(), current_user()
    if not may_see_run(context.settings, user, run, context.uploads.find(run.id)):
        abort(409, f"{run.username} has started this sheet already.")
    return redirect(url_for("runs.show", run_id=run.id), 303)


def _create_run(stored: Upload, outcome: CheckOutcome) -> bool:
    """Write the run into the journal; False if another server on the same folder does so at this moment."""
    options = RunOptions(
        skip_invalid=outcome.invalid > 0,
        verify="verify" in request.form,
        snapshot="snapshot" in request.form,
        canary=CANARY_ROWS if "canary" in request.form else 0,
        key=stored.key,
        lookup=stored.lookup,
    )
    with current_context().open_run_context(current_user()) as run_context:
        check = StoredCheck(stored.path, stored.name, outcome)
        if count_selection_requests(check, options, run_context.settings) > MAX_POLICY_REQUESTS:
            abort(400, "Some columns are only written if they are empty, which takes too many requests here. Split it.")
        selection = make_selection(check, run_context, options)
        try:
            create_selected_run(run_context, stored.id, selection, options, stored.folder / RESULTS)
        except JournalError:
            if not _wait_for_run(stored):
                raise
            return False
    return True


def _wait_for_run(stored: Upload) -> bool:
    """Return whether another server has written this run; it may take a moment until all of it is there."""
    context = current_context()
    for _ in range(_OTHER_SERVER_TRIES):
        if has_run(stored):
            return True
        if not context.journal.is_being_written(stored.id):
            return False
        context.clock.wait(_OTHER_SERVER_WAIT_SECONDS, context.closing)
    return False
