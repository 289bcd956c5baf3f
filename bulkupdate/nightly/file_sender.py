"""Send the rows of one file of the night, or resume its run, with one client for the whole night."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import Status
from bulkupdate.errors import BulkUpdateError, CanaryError, ExitCode, ServiceDownError
from bulkupdate.nightly.file_report import FileOutcome, FileReport
from bulkupdate.nightly.folder import ClaimedFile, NightFolder
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.nightly.night_limits import find_night_excess
from bulkupdate.nightly.night_options import NightOptions
from bulkupdate.nightly.row_log import RowLog
from bulkupdate.nightly.window import count_fitting
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.context import RunContext, open_context, require_same_host
from bulkupdate.runs.estimate import GUESSED_REQUEST_SECONDS, expect_end
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.loading.input_file import CheckedInput
from bulkupdate.runs.new_run import create_run
from bulkupdate.runs.previous_runs import require_not_overtaken
from bulkupdate.runs.reporting.journal_report import report_result
from bulkupdate.runs.reporting.run_result import RunResult, list_reading_arguments
from bulkupdate.runs.run_records import Run, RunOptions
from bulkupdate.runs.sending.runner import execute_run
from bulkupdate.runs.sending.selection import make_selection
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.writing.to_fix_sheet import to_fix_path
from bulkupdate.text import SuggestedCommand, pluralize

MEASURED_REQUESTS = 20
"""With fewer requests, the speed of a run says little about the next one."""


@dataclass
class FileSender:
    """Sends the files of one night. The client, with its sign-in, is opened for the first of them and then kept.

    `repeat_options` adds the user's own options to a command.
    """

    folder: NightFolder
    settings: Settings
    options: NightOptions
    journal: Journal
    clock: Clock
    stop: Cancellation
    repeat_options: Callable[[SuggestedCommand | None], SuggestedCommand | None] = lambda command: command
    _context: RunContext | None = field(default=None, init=False)
    _calls_before: int = field(default=0, init=False)
    _open: ExitStack = field(default_factory=ExitStack, init=False)
    _seconds_a_request: float = field(default=0.0, init=False)

    @property
    def calls(self) -> int:
        """The requests of this night, sign-ins included."""
        return self._calls_before + (self._context.client.calls if self._context else 0)

    def close(self) -> None:
        """Close the client, if one was opened."""
        self._open.close()

    def open_context(self, *, keeps_count: bool = False) -> RunContext:
        """Return what the next run needs; its client counts requests from 0, unless it `keeps_count` of this file's.

        Raises `UsageError` if the settings name no service, `ServiceDownError` if its address cannot be looked up.
        """
        if self._context is None:
            opened = open_context(self.settings, self.clock, self.stop, self.journal)
            self._context = self._open.enter_context(opened)
        elif not keeps_count:
            self._calls_before = self.calls
            self._context.client.reset_calls()
        return self._context

    def send(self, claimed: ClaimedFile, checked_input: CheckedInput, context: RunContext) -> FileReport:
        """Begin a run for the file and send its rows.

        Raises `LimitExceededError` if it exceeds a limit, and what fetching live customers raises.
        """
        options = replace(self.options.run_options, skip_invalid=self.options.skip_invalid)
        selection = make_selection(checked_input, context, options)
        if excess := find_night_excess(selection.rows(), claimed.original_name, self.journal, self.settings):
            raise excess.to_error(self._run_command(claimed, options))
        run = create_run(context, claimed.run_id, selection, options, self._results_path(claimed))
        return self._report(claimed, self._execute(claimed, run, context))

    def _run_command(self, claimed: ClaimedFile, options: RunOptions) -> SuggestedCommand:
        """Return the command that sends a refused file as the night would have."""
        names = ("skip_invalid", "verify", "only_changes", "since_last", "snapshot")
        flags = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name)]
        age = [] if options.max_age_days is None else ["--max-age", f"{options.max_age_days:g}"]
        canary = ["--canary", str(options.canary)] if options.canary else []
        file, reading = self.folder.find_target(claimed, self.folder.failed), list_reading_arguments(options)
        command = SuggestedCommand("run", file, *reading, *flags, *age, *canary)
        return self.repeat_options(command) or command

    def resume(self, claimed: ClaimedFile, run: Run) -> FileReport:
        """Send what the run has not sent.

        Raises `UsageError` if it belongs to another service, and `OvertakenRunError` if a newer run has updated its
        customers.
        """
        context = self.open_context()
        settled_before = self._count_settled(run)
        result = self._execute(claimed, self._prepare_resume(claimed, run, context), context)
        return self._report(claimed, result, is_stuck=self._count_settled(result.run) == settled_before)

    def _prepare_resume(self, claimed: ClaimedFile, run: Run, context: RunContext) -> Run:
        require_same_host(run, context.host)
        require_not_overtaken(self.journal, run)
        results = self._results_path(claimed)
        if run.results_path != str(results):  # the folder was moved
            self.journal.set_results_path(run, results)
        return self.journal.find_run(run.id)

    def _results_path(self, claimed: ClaimedFile) -> Path:
        return self.folder.report_path(claimed, "-results.xlsx")

    def _count_settled(self, run: Run) -> int:
        tally = self.journal.tally(run)
        return tally[Status.UPDATED] + tally[Status.REJECTED]

    def _execute(self, claimed: ClaimedFile, run: Run, context: RunContext) -> RunResult:
        self._log_plan(claimed, run, context)
        row_log, began = RowLog(run.id), self.clock.now()
        result = execute_run(run, context, row_log)
        if context.client.calls >= MEASURED_REQUESTS and not row_log.has_waited:
            self._seconds_a_request = (self.clock.now() - began) / context.client.calls
        return result

    def _log_plan(self, claimed: ClaimedFile, run: Run, context: RunContext) -> None:
        """Log how many rows are to be sent, and by when: at the speed of the last file, within the quota."""
        tally = self.journal.tally(run)
        rows = sum(tally[status] for status in (Status.NOT_ATTEMPTED, Status.UNKNOWN, Status.FAILED))
        now, quota = self.clock.now(), context.client.quota
        speed = self._seconds_a_request or GUESSED_REQUEST_SECONDS / self.settings.concurrency
        if self.options.end is None:
            end = expect_end(quota, now, rows + 1, speed)
            plan = f"expected end {format_utc(end)}"
        else:
            by_pace = int(max(0.0, self.options.end - now) / speed) if speed else rows
            by_quota = max(0, count_fitting(quota, rows + 1, self.options.end) - 1)  # one is the sign-in
            fitting = min(rows, by_pace, by_quota)
            plan = f"about {fitting:,} of them by {format_utc(self.options.end)}"
        basis = "at the speed of the last file" if self._seconds_a_request else "at the usual speed"
        LOGGER.info(
            "plan: %s to send, %s (%s, within the quota)", pluralize(rows, "row"), plan, basis,
            extra={"run": run.id, "file": claimed.original_name},
        )  # fmt: skip

    def _report(self, claimed: ClaimedFile, result: RunResult, *, is_stuck: bool = False) -> FileReport:
        error = result.error or result.results_error
        is_done = error is None
        path = self.folder.find_target(claimed, self.folder.done) if is_done else claimed.path
        code = result.exit_code if result.error or is_done else ExitCode.STOPPED
        ended = report_result(result, self.journal)
        if result.results is not None and result.to_fix is None:  # from an earlier night; its rows were updated since
            to_fix_path(result.results).unlink(missing_ok=True)
        may_be_the_file = is_stuck and isinstance(error, ServiceDownError) and not self.stop.is_set()
        return FileReport(
            name=claimed.original_name,
            path=path,
            outcome=_find_outcome(result, is_done=is_done),
            run_report=replace(ended, file=str(path), exit_code=code),
            sentence=_describe_result(result),
            files=tuple(file for file in (result.results, result.to_fix) if file is not None),
            reason=explain(error) if error else "",
            public_reason=explain(error) if error else "",
            ends_night=not (is_done or may_be_the_file or isinstance(error, CanaryError)),
        )


def explain(error: BulkUpdateError) -> str:
    """Return the error and its remedy as one text."""
    return f"{error} {error.remedy}" if error.remedy else str(error)


def _find_outcome(result: RunResult, *, is_done: bool) -> FileOutcome:
    if not is_done:
        return FileOutcome.STOPPED
    return FileOutcome.DONE if result.tally.is_all_well else FileOutcome.INCOMPLETE


def _describe_result(result: RunResult) -> str:
    tally = result.tally
    settled = tally[Status.UPDATED] + tally[Status.UNCHANGED]
    if result.error is not None:
        return f"stopped, {tally.rows - settled:,} of {pluralize(tally.rows, 'row')} left; the next night continues"
    if result.results_error is not None:
        return "sent, but its results could not be written; the next night tries again"
    if tally.is_all_well:
        return f"done, {pluralize(tally.rows, 'row')}"
    verb = "was" if tally.rows - settled == 1 else "were"
    return f"finished, but {tally.rows - settled:,} of {pluralize(tally.rows, 'row')} {verb} not updated"
