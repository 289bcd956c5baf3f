"""Process one file of the night, from the point that it has reached according to the journal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from bulkupdate.clock import Clock, format_local_time
from bulkupdate.customers.models import Status
from bulkupdate.errors import (
    BulkUpdateError,
    BusyError,
    ExitCode,
    InputFileError,
    InterruptedRunError,
    ServiceDownError,
    StoppedError,
    UsageError,
)
from bulkupdate.nightly.file_report import FileReport
from bulkupdate.nightly.folder import ClaimedFile, NightFolder
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.nightly.row_log import RowLog
from bulkupdate.nightly.window import count_fitting
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.check_reports import write_check
from bulkupdate.runs.check_summary import report_check
from bulkupdate.runs.input_file import CheckedInput, SheetOptions, load_input_file
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal_report import report_ending
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.runs.run_report import RunReport, report_failure
from bulkupdate.runs.runner import RunContext, RunOptions, RunResult, execute_run
from bulkupdate.runs.selection import begin_planned, plan_sending
from bulkupdate.sellercloud.client import open_client
from bulkupdate.settings import Settings
from bulkupdate.spreadsheets.writing.results_workbook import to_fix_path
from bulkupdate.text import quote_argument

MAX_READ_ATTEMPTS = 2
"""How often the program may end while it reads a file before the file is refused: once may be a power cut."""


@dataclass(frozen=True)
class NightOptions:
    """The options of a night.

    `end` is when sending stops, in seconds since 1970; None means when everything is sent. A file is claimed if it has
    not changed for `settle_seconds`. `run_options` are those of every run.
    """

    skip_invalid: bool = False
    end: float | None = None
    settle_seconds: float = 5.0
    sheet: SheetOptions = field(default_factory=SheetOptions)
    run_options: RunOptions = field(default_factory=RunOptions)


@dataclass(frozen=True)
class FileProcessor:
    """Processes the files of one night with the same folder, settings, options and journal."""

    folder: NightFolder
    settings: Settings
    options: NightOptions
    journal: Journal
    clock: Clock
    stop: Cancellation

    def process(self, claimed: ClaimedFile) -> FileReport:
        """Check and send the file, or resume its run.

        What stops the run is in the report. Raises `UsageError` if the run belongs to another service, and
        `JournalError` if the journal cannot be read.
        """
        run = self._find_run(claimed)
        try:
            checked_input = None if run else self._read(claimed)
            if checked_input is not None and checked_input.invalid and not self.options.skip_invalid:
                return self._refuse_rows(claimed, checked_input)
            return self._send(claimed, run, checked_input)
        except InputFileError as error:
            run_report = replace(report_failure(error, claimed.path, None), state=RunState.FINISHED)
            return self._refuse(claimed, run_report, (), "refused, nothing was sent", _explain(error))
        except InterruptedRunError as interrupted:  # while fetching live customers: nothing was sent yet
            return self._leave(claimed, run, self.stop.reason or interrupted)
        except (StoppedError, BusyError) as error:
            return self._leave(claimed, run, error)

    def _find_run(self, claimed: ClaimedFile) -> Run | None:
        try:
            return self.journal.find_run(claimed.run_id)
        except UsageError:  # claimed, but its run has not begun
            return None

    def _read(self, claimed: ClaimedFile) -> CheckedInput:
        name = claimed.original_name
        if self.folder.register_read_attempt(claimed) > MAX_READ_ATTEMPTS:
            self.folder.clear_read_attempts(claimed)
            raise InputFileError(
                f"The program was killed {MAX_READ_ATTEMPTS} times while it read {name}; the file may be too large.",
                remedy="Split it, and put the parts into inbox/.",
            )
        try:
            checked_input = load_input_file(claimed.path, self.settings, self.options.sheet)
        except BulkUpdateError:
            self.folder.clear_read_attempts(claimed)
            raise
        except Exception as error:  # a bug that one file triggers must not block the others every night
            self.folder.clear_read_attempts(claimed)
            LOGGER.debug("the program itself failed while reading", extra={"file": name}, exc_info=True)
            raise InputFileError(
                f"The program itself failed while it read {name} ({type(error).__name__}): "
                "this is a bug in it, not in your file.",
                remedy="Run `bulkupdate check` on the file: it saves a crash report. Send that to your administrator.",
            ) from error
        self.folder.clear_read_attempts(claimed)
        return checked_input

    def _leave(self, claimed: ClaimedFile, run: Run | None, error: BulkUpdateError) -> FileReport:
        """Leave the file where it is. The night ends, unless another process is working on the run."""
        run_report = report_failure(error, claimed.path, run.id if run else None)
        ends_night = not isinstance(error, BusyError)
        return FileReport(
            claimed.original_name, claimed.path, run_report, (), "left for the next night", _explain(error), ends_night
        )

    # -- refusing -----------------------------------------------------------------------------------------------

    def _refuse_rows(self, claimed: ClaimedFile, checked_input: CheckedInput) -> FileReport:
        report = self.folder.report_path(claimed, "-check.xlsx")
        files = write_check(checked_input, self.settings, report, None).paths
        target = self.folder.find_target(claimed, self.folder.failed)
        next_command = f"bulkupdate check {quote_argument(target)}"
        run_report = report_check(checked_input, ExitCode.FILE_REFUSED, report, next_command)
        sentence = (
            f"refused: {checked_input.invalid:,} of {len(checked_input.checked):,} rows are invalid, nothing was sent"
        )
        return self._refuse(claimed, run_report, files, sentence, "The check report lists every problem.")

    def _refuse(
        self, claimed: ClaimedFile, run_report: RunReport, files: tuple[Path, ...], sentence: str, reason: str
    ) -> FileReport:
        target = self.folder.find_target(claimed, self.folder.failed)
        return FileReport(claimed.original_name, target, replace(run_report, file=str(target)), files, sentence, reason)

    # -- sending ------------------------------------------------------------------------------------------------

    def _send(self, claimed: ClaimedFile, run: Run | None, checked_input: CheckedInput | None) -> FileReport:
        results = self.folder.report_path(claimed, "-results.xlsx")
        client = open_client(self.settings, self.clock, self.stop)
        try:
            context = RunContext(self.settings, self.journal, client, self.clock, self.stop)
            settled_before = 0
            if checked_input is not None:
                self._warn_of_earlier_run(claimed, checked_input, context)
                options = replace(self.options.run_options, skip_invalid=self.options.skip_invalid)
                plan = plan_sending(checked_input, context, options)
                run = begin_planned(context, claimed.run_id, plan, options, results)
            elif run is not None:
                settled_before = self._count_settled(run)
                run = self._prepare_resume(run, context, results)
            assert run is not None
            self._log_plan(claimed, run, context)
            result = execute_run(run, context, RowLog(run.id, self.clock))
        finally:
            client.close()
        is_stuck = checked_input is None and self._count_settled(result.run) == settled_before
        return self._report(claimed, result, is_stuck=is_stuck)

    def _warn_of_earlier_run(self, claimed: ClaimedFile, checked_input: CheckedInput, context: RunContext) -> None:
        for earlier in self.journal.runs_of_file(checked_input.sha256, context.host):
            LOGGER.warning(
                "a file with this content was sent before, at %s, by run %s", earlier.started, earlier.id,
                extra={"run": claimed.run_id, "file": claimed.original_name},
            )  # fmt: skip
            return

    def _prepare_resume(self, run: Run, context: RunContext, results: Path) -> Run:
        """Prepare an unfinished run for sending. Raises `UsageError` if it belongs to another service."""
        if run.host != context.host:
            raise UsageError(
                f"Run {run.id} belongs to {run.host}, but the settings name {context.host}: nothing was sent.",
                remedy=f"Set BULKUPDATE_BASE_URL to the service at {run.host}, or move its file out of working/.",
            )
        if run.results_path != str(results):  # the folder was moved
            self.journal.set_results_path(run, results)
        return self.journal.find_run(run.id)

    def _count_settled(self, run: Run) -> int:
        tally = self.journal.tally(run)
        return tally[Status.UPDATED] + tally[Status.REJECTED]

    def _log_plan(self, claimed: ClaimedFile, run: Run, context: RunContext) -> None:
        tally = self.journal.tally(run)
        rows = sum(tally[status] for status in (Status.NOT_ATTEMPTED, Status.UNKNOWN, Status.FAILED))
        now, quota = self.clock.now(), context.client.quota
        if self.options.end is None:
            last = format_local_time(quota.when_sent(rows + 1), now)
            plan = f"the quota allows the last of them at {last}"
        else:
            fitting = max(0, count_fitting(quota, rows + 1, self.options.end) - 1)  # one is the sign-in
            plan = f"{fitting:,} of them fit the quota by {format_local_time(self.options.end, now)}"
        LOGGER.info(
            "plan: %s rows to send, %s", f"{rows:,}", plan, extra={"run": run.id, "file": claimed.original_name}
        )

    def _report(self, claimed: ClaimedFile, result: RunResult, *, is_stuck: bool) -> FileReport:
        error = result.error or result.results_error
        is_done = error is None
        path = self.folder.find_target(claimed, self.folder.done) if is_done else claimed.path
        code = result.exit_code if result.error or is_done else ExitCode.STOPPED
        ended = report_ending(result, self.journal, self.settings.state_dir)
        run_report = replace(ended, file=str(path), exit_code=code)
        files = tuple(path for path in (result.results, result.to_fix) if path is not None)
        if (
            result.results is not None and result.to_fix is None
        ):  # that of an earlier night, whose rows were updated since
            to_fix_path(result.results).unlink(missing_ok=True)
        may_be_the_file = is_stuck and isinstance(error, ServiceDownError) and not self.stop.is_set()
        return FileReport(
            claimed.original_name, path, run_report, files, _describe(result), _explain(error) if error else "",
            ends_night=not is_done and not may_be_the_file,
        )  # fmt: skip


def _describe(result: RunResult) -> str:
    tally = result.tally
    through = tally[Status.UPDATED] + tally[Status.UNCHANGED]
    if result.error is not None:
        return f"stopped, {tally.rows - through:,} of {tally.rows:,} rows left; the next night continues"
    if result.results_error is not None:
        return "sent, but its results could not be written; the next night tries again"
    if tally.is_all_well:
        return f"done, {tally.rows:,} {'row' if tally.rows == 1 else 'rows'}"
    return f"finished, but {tally.rows - through:,} of {tally.rows:,} rows were not updated"


def _explain(error: BulkUpdateError) -> str:
    return f"{error} {error.remedy}" if error.remedy else str(error)
