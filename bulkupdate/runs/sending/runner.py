"""Execute a run from beginning to end; the same for all entry points."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from bulkupdate.clock import format_utc
from bulkupdate.customers.models import Status
from bulkupdate.customers.row_reasons import NOT_UPDATED, group_row_reasons
from bulkupdate.errors import BulkUpdateError, BusyError, InterruptedRunError, JournalError, StoppedError, UsageError
from bulkupdate.runs.cancellation import find_reason
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.reporting.results import write_run_results
from bulkupdate.runs.reporting.run_result import RunResult
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import PendingRow, Run, RunState, StatusCounts
from bulkupdate.runs.sending.canary import find_canary, require_agreement, take_canary
from bulkupdate.runs.sending.phases import Phase, PhaseCounter, WatchPhase, ignore_phases
from bulkupdate.runs.sending.read_back import read_back
from bulkupdate.runs.sending.sender import Batch, Watch
from bulkupdate.runs.sending.sign_in_wait import sign_in
from bulkupdate.runs.sending.snapshots import FirstReader, drop_kept_snapshots, drop_outdated_snapshots
from bulkupdate.runs.stop_requests import heed_stop_requests
from bulkupdate.runs.tenant.probe_run import require_no_probe
from bulkupdate.runs.tenant.throttle import describe_throttle
from bulkupdate.sellercloud.client import PAGE_SIZE
from bulkupdate.store.audit_log import AuditLog


def execute_run(
    run: Run, context: RunContext, watch: Watch, limit: int | None = None, watch_phase: WatchPhase = ignore_phases
) -> RunResult:
    """Send what is not confirmed, read back what must be, and write the results.

    `limit` is the maximum number of rows, None: all; `watch_phase` gets the progress of each phase. What stops a run
    early is in the result, not raised. Raises `BusyError` if another process is working on it; and, with the journal
    consistent, whatever a bug raises.
    """
    if run.options.probe:
        raise UsageError(
            f"Run {run.id} is a probe, which is not continued.", remedy="`bulkupdate doctor --restore` puts it back."
        )
    with lock_run(context.journal, run.id):
        run = context.journal.find_run(run.id)  # another process may have continued it meanwhile
        if run.state is RunState.FINISHED:
            return _write_results(RunResult(run, context.journal.tally(run), None, None, None), context.journal)
        error: BulkUpdateError | None = None
        try:
            context.journal.set_state(run, RunState.RUNNING)
            require_no_probe(context.journal, context.host)  # any probe that begins from now on sees this run
            _audit("sending", run, context)
            with heed_stop_requests(run, context):
                _send(
                    run, context, watch, limit, PhaseCounter(watch_phase, context.clock, lambda: context.client.calls)
                )
        except (StoppedError, BusyError) as stopped:
            error = stopped
        except InterruptedRunError as interrupted:
            error = find_reason(context.stop) or interrupted
        except BaseException:
            with suppress(JournalError):
                context.journal.set_state(
                    run, RunState.STOPPED, stopped_by="the program itself failed", calls=_count_calls(run, context)
                )
            raise
        return _end(run, context, error)


def _send(run: Run, context: RunContext, watch: Watch, limit: int | None, phases: PhaseCounter) -> None:
    pending, awaiting = context.journal.count_pending(run), context.journal.count_awaiting_read_back(run)
    if not pending and not awaiting:
        return  # not even a sign-in
    sign_in(context.client, context.stop, lambda waiting: watch((), waiting))
    pending = pending if limit is None else min(pending, limit)
    if run.options.verify:
        phases.begin(Phase.READ_BACK, pending + awaiting)
    phases.begin(Phase.UPDATE, pending)
    reader = None
    if run.options.snapshot or run.options.guarded:
        phases.begin(Phase.READ_PREVIOUS, pending)
        reader = _make_reader(run, context, watch, phases)
    sending = _Sending(run, context, watch, phases, reader)
    limit = sending.send_canary(limit)
    sending.send_rows(islice(context.journal.pending(run), limit), verify=run.options.verify)


def _make_reader(run: Run, context: RunContext, watch: Watch, phases: PhaseCounter) -> FirstReader:
    if run.options.snapshot:
        drop_outdated_snapshots(context.journal, run, context.clock.now())
    return FirstReader(
        run, context.journal, context.client, context.clock, phases.watch_updates(watch),
        context.settings.concurrency, phases, context.settings.rating_format,
    )  # fmt: skip


@dataclass(frozen=True)
class _Sending:
    """Sends rows of a run. `reader` reads each customer before; None: the run does not ask for it."""

    run: Run
    context: RunContext
    watch: Watch
    phases: PhaseCounter
    reader: FirstReader | None

    def send_canary(self, limit: int | None) -> int | None:
        """Send the canary, and require that it agrees; return how many rows of `limit` are left, None: all.

        Rows of which the write policy leaves nothing are replaced by others, so a page of them is read at a time.
        """
        journal = self.context.journal
        while canary := find_canary(self.run, journal, limit):
            unsent = self._read_ahead(limit)
            if unsent is not None:
                limit = None if limit is None else limit - unsent
                continue
            taken = take_canary(self.run, journal, canary)
            self.send_rows(iter(taken), verify=True)
            limit = None if limit is None else limit - len(taken)
            require_agreement(self.run, journal, canary)
        return limit

    def _read_ahead(self, limit: int | None) -> int | None:
        """Read the next rows; return how many of them need not be sent, None: there is nothing left to find out."""
        if self.reader is None or not self.run.options.guarded:
            return None
        most = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit)
        return self.reader.read_ahead(islice(self.context.journal.pending(self.run), most))

    def send_rows(self, rows: Iterator[PendingRow], *, verify: bool) -> None:
        """Send these rows, reading customers before and afterwards if the run asks for it."""
        run, context, phases = self.run, self.context, self.phases
        batch = Batch(
            run=run,
            journal=context.journal,
            client=context.client,
            clock=context.clock,
            stop=context.stop,
            concurrency=context.settings.concurrency,
            max_failures=context.settings.max_failures,
            verify=verify,
            watch=phases.watch_updates(self.watch),
        )
        batch.send(rows if self.reader is None else self.reader.read_before_send(rows))
        read_back(run, context.journal, context.client, context.clock, self.watch, context.settings.concurrency, phases)


def _audit(event: str, run: Run, context: RunContext) -> None:
    what = f"undo {event}" if run.options.undo else event
    AuditLog(context.settings.store, context.clock).record(what, user=run.username, about=run.id)


def _count_calls(run: Run, context: RunContext) -> int:
    return run.calls + context.client.calls


def _end(run: Run, context: RunContext, error: BulkUpdateError | None) -> RunResult:
    """Write the results, then record the end of the run: after a kill in between, `resume` writes them again.

    So it does if the end cannot be recorded (the disk is full): the run counts as running, but no process holds its
    lock.
    """
    try:
        error = error or _find_loss(context.journal)
        tally = context.journal.tally(run)
        reasons = tuple(group_row_reasons(context.journal.lines(run, NOT_UPDATED)))
        ended = _describe_end(run, context, tally, error)
    except JournalError as unreadable:
        return RunResult(replace(run, state=RunState.STOPPED), StatusCounts(), error or unreadable, None, None)
    _keep_throttle(context)
    if error is not None and (run.finished or run.state is RunState.RUNNING):  # it was continued
        with suppress(JournalError):
            drop_kept_snapshots(context.journal, run)
    result = _write_results(RunResult(ended, tally, error, None, None, reasons=reasons), context.journal)
    with suppress(JournalError):
        context.journal.set_state(
            run, ended.state, stopped_by=ended.stopped_by, calls=ended.calls, ended=ended.finished
        )
    _audit(ended.state.value, run, context)
    return result


def _keep_throttle(context: RunContext) -> None:
    """Keep how the service throttles, if this run was throttled."""
    if context.client.pipeline.first_throttle is not None:
        facts = describe_throttle(context.client.pipeline.first_throttle)
        with suppress(JournalError):
            context.journal.keep_facts(context.host, facts, format_utc(context.clock.now()))


def _find_loss(journal: Journal) -> JournalError | None:
    """Return the error if the journal was lost or damaged after the last commit; None if it is intact."""
    try:
        journal.home.require_whole()
    except JournalError as error:
        return error
    return None


def _describe_end(run: Run, context: RunContext, tally: StatusCounts, error: BulkUpdateError | None) -> Run:
    """Return the run with its end: finished, unless something stopped it or only some of its rows were to be sent."""
    is_all_sent = not tally[Status.NOT_ATTEMPTED] and not context.journal.count_awaiting_read_back(run)
    is_finished = is_all_sent and error is None
    return replace(
        run,
        state=RunState.FINISHED if is_finished else RunState.STOPPED,
        stopped_by=str(error) if error else "" if is_finished else "only as many rows as asked for were sent",
        finished=format_utc(context.clock.now()),
        calls=_count_calls(run, context),
    )


def _write_results(result: RunResult, journal: Journal) -> RunResult:
    try:
        results, to_fix = write_run_results(result.run, journal, Path(result.run.results_path))
    except BulkUpdateError as unwritable:
        return replace(result, results_error=unwritable)
    return replace(result, results=results, to_fix=to_fix)
