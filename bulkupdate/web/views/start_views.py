"""Starting a checked sheet: what has to be agreed to, and the page while its rows are selected."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bulkupdate.clock import format_utc
from bulkupdate.errors import InterruptedRunError, JournalError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.fetch import WatchReading
from bulkupdate.runs.previous_runs import find_previous_run
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.web.accounts.sessions import Session
from bulkupdate.web.disk_space import is_full_error
from bulkupdate.web.jobs import Job, Prepare
from bulkupdate.web.mails import wish_mail
from bulkupdate.web.page_context import PageContext, current_context, current_user
from bulkupdate.web.permissions import may_see_run, may_start, needs_approval, owns_upload
from bulkupdate.web.plan import digest_plan, needs_confirmation
from bulkupdate.web.run_access import record_event
from bulkupdate.web.sheet_checks import has_begun
from bulkupdate.web.uploads.check_outcome import CheckOutcome, read_outcome
from bulkupdate.web.uploads.check_store import StoredCheck
from bulkupdate.web.uploads.reviews import MAX_COMMENT, read_review, save_review
from bulkupdate.web.uploads.start_order import StartOrder, begin_run
from bulkupdate.web.uploads.upload_store import Upload
from bulkupdate.web.views.upload_views import find_startable, find_upload
from bulkupdate.web.waiting import describe_wait, explain_failure, stop_reading, wait_briefly

pages = Blueprint("starts", __name__)

_PLAN_CHANGED = "The plan has changed since you saw it: the sheet was checked again. Look at it first."
_OTHER_SERVER_TRIES = 100
_OTHER_SERVER_WAIT_SECONDS = 0.2


@pages.post("/sheets/<upload_id>/start")
def start(upload_id: str) -> Response:
    """Start the run, once: a second click, a reload or a step back leads to the same run."""
    context, stored = current_context(), find_startable(upload_id)
    if (run := context.find_run(stored.id)) is not None:
        return _show_started(run)
    outcome = find_outcome(stored)
    order = read_order(stored, outcome)
    with context.one_at_a_time(outcome.sha256), context.one_at_a_time(stored.id):
        if "again" not in request.form and is_being_sent(context, stored, outcome):
            abort(
                409, "This file is being sent by another run now. Go back to its plan and reload it to send it again."
            )
        if context.uploads.find(stored.id) != stored:
            abort(409, _PLAN_CHANGED)  # in another tab, since it was read above
        if not has_begun(stored):
            agree(stored)
            launch_start(context, current_user(), stored, outcome, order)
            event = "approved and started" if needs_approval(context.settings) else "started"
            record_event(event, stored.id)
        wait_briefly(context.jobs.find(stored.id))
    return _show_begun(stored)


def launch_start(
    context: PageContext, session: Session, stored: Upload, outcome: CheckOutcome, order: StartOrder
) -> None:
    """Begin to select and send the rows with this login; a start that is scheduled is no longer needed."""
    prepare = make_prepare(order, stored, outcome)
    if context.jobs.launch(Job(stored.id, session, order.options.limit, prepare, outcome.to_send)) is not None:
        context.schedules.cancel(stored.id)


def agree(stored: Upload) -> None:
    """Keep what the user has said in the form besides the choices: a comment on the approval, the wish for a mail."""
    context, user, form = current_context(), current_user(), request.form
    to = context.mailer.address_of(user.identity) if "mail" in form and context.mailer.is_possible else ""
    wish_mail(stored.folder, to, url_for("checks.show", upload_id=stored.id, _external=True))
    if needs_approval(context.settings):
        now, comment = format_utc(context.clock.now()), form.get("comment", "").strip()[:MAX_COMMENT]
        save_review(stored.folder, read_review(stored.folder).decide(user.identity, now, comment, is_refused=False))


def find_outcome(stored: Upload) -> CheckOutcome:
    """Return the check of a sheet that this user may start; else answer 403 or 409."""
    if not may_start(current_context().settings, current_user(), stored):
        abort(403, "Another user, signed in with their own login, has to start this one.")
    if (review := read_review(stored.folder)).is_refused:
        abort(409, f"{review.decided_by} has refused this sheet. Its user has to ask for the approval again.")
    outcome = read_outcome(stored)
    if outcome is None or outcome.is_refused or not outcome.to_send:
        abort(409, "There is nothing to send: the sheet has not been checked, or no row of it can be sent.")
    return outcome


def read_order(stored: Upload, outcome: CheckOutcome) -> StartOrder:
    """Return the choices of the form; answer 400 or 409 if something was not agreed to."""
    settings, form = current_context().settings, request.form
    approved = form.get("plan", "")
    if (approved or needs_approval(settings)) and approved != digest_plan(settings, stored, outcome):
        abort(409, _PLAN_CHANGED)
    if outcome.invalid and "skip_invalid" not in form:
        abort(400, "Some rows are invalid. Fix them, or tick the box that leaves them out.")
    try:
        order = StartOrder.read(form, outcome)
    except ValueError as error:
        abort(400, str(error))
    # an earlier click may have started this sheet meanwhile: this one then leads to its run
    previous = find_previous_run(current_context().journal, outcome.sha256, stored.host, other_than=stored.id)
    if needs_confirmation(outcome, previous) and "confirmed" not in form:
        customers = f"{outcome.to_send:,} {'customer is' if outcome.to_send == 1 else 'customers are'}"
        abort(400, f"Tick the box that says that {customers} to be updated. Nothing was sent.")
    changes = StoredCheck(stored.path, stored.name, outcome).count_changes() if not order.is_selective else None
    if changes and (excess := order.find_excess(changes, settings)):
        abort(400, f"{excess.message} Nothing was sent. If the sheet is right, allow it once on its page.")
    return order


def make_prepare(order: StartOrder, stored: Upload, outcome: CheckOutcome) -> Prepare:
    """Return what writes the run; if another server on the same folder is writing it, that one sends it."""

    def prepare(run_context: RunContext, watch: WatchReading) -> None:
        try:
            begin_run(order, stored, outcome, run_context, watch)
        except JournalError:
            if not _wait_for_other_server(stored, run_context):
                raise
            raise InterruptedRunError("Another server has started this sheet.") from None

    return prepare


def _wait_for_other_server(stored: Upload, run_context: RunContext) -> bool:
    """Return whether another server has written this run; wait briefly until it is complete."""
    journal = run_context.journal
    for _ in range(_OTHER_SERVER_TRIES):
        if any(head.id == stored.id for head in journal.run_heads()):
            return True
        if not journal.is_being_written(stored.id):
            return False
        run_context.clock.wait(_OTHER_SERVER_WAIT_SECONDS, run_context.stop)
    return False


def is_being_sent(context: PageContext, stored: Upload, outcome: CheckOutcome) -> bool:
    """Return whether the same file is being sent now by another run."""
    previous = find_previous_run(context.journal, outcome.sha256, stored.host, other_than=stored.id)
    if previous is not None and previous.state is RunState.RUNNING:
        return True
    others = (job for job in context.jobs.alive() if job.run_id != stored.id)
    return any(_is_beginning(context, job, outcome) for job in others)


def _is_beginning(context: PageContext, job: Job, outcome: CheckOutcome) -> bool:
    """Return whether a job selects the rows of a file with the same content, so that the journal does not have it."""
    if job.has_begun.is_set():
        return False
    stored = context.uploads.find(job.run_id)
    other = read_outcome(stored) if stored is not None else None
    return other is not None and other.sha256 == outcome.sha256


def _show_begun(stored: Upload) -> Response:
    """Redirect to the run, or to the sheet while its rows are selected, or if that has failed."""
    context = current_context()
    if (run := context.find_run(stored.id)) is not None:
        return _show_started(run)
    error = context.jobs.last_error(stored.id)
    if error is not None and is_full_error(error):
        raise error
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


def _show_started(run: Run) -> Response:
    """Redirect to the run, unless another user has started it meanwhile and this user may not see it."""
    context, user = current_context(), current_user()
    if not may_see_run(context.settings, user, run, context.uploads.find(run.id)):
        abort(409, f"{run.username} has started this sheet already.")
    return redirect(url_for("runs.show", run_id=run.id), 303)


def show_preparing(stored: Upload, outcome: CheckOutcome, job: Job) -> str:
    """Return the page of a sheet whose rows are being selected."""
    return render_template(
        "preparing.html",
        upload=stored,
        outcome=outcome,
        job=job,
        waiting=describe_wait(job),
        may_stop=owns_upload(current_user(), stored) or job.session.user_key == current_user().user_key,
    )


@pages.post("/sheets/<upload_id>/start/stop")
def stop(upload_id: str) -> Response:
    """Stop selecting the rows: nothing has been sent. If sending has just begun, the run is stopped."""
    stored = find_upload(upload_id)
    job, user = current_context().jobs.find(stored.id), current_user()
    if current_context().find_run(stored.id) is not None:
        return redirect(url_for("runs.stop", run_id=stored.id), 307)  # asked for again there, with its form
    if job is not None:
        if not owns_upload(user, stored) and job.session.user_key != user.user_key:
            abort(403, "Only the user who started it can stop it.")
        stop_reading(job)
    return redirect(url_for("checks.show", upload_id=stored.id), 303)


def explain_failed_start(stored: Upload) -> str:
    """Return why the last start of a sheet sent nothing; empty if there was none."""
    return explain_failure(stored.id, "It was stopped before the first update.")
