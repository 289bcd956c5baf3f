"""Process one file of the night, from the point that the journal says it has reached."""

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

READINGS = 2
"""How often a file may end the program while it is read, before it is put aside: a power cut is no fault of its."""


@dataclass(frozen=True)
class NightOptions:
    """What is asked of a night.

    `end` is when no further row is sent, in seconds since 1970, None: whenever all is sent. A file must stay as it is
    for `settle_seconds` to be taken. `asked` is what else is asked of each run.
    """

    skip_invalid: bool = False
    end: float | None = None
    settle_seconds: float = 5.0
    sheet: SheetOptions = field(default_factory=SheetOptions)
    run_options: RunOptions = field(default_factory=RunOptions)


@dataclass(frozen=True)
class FileProcessor:
    """What all files of one call are worked on with."""

    folder: NightFolder
    settings: Settings
    options: NightOptions
    journal: Journal
    clock: Clock
    stop: Cancellation

    def process(self, taken: ClaimedFile) -> FileReport:
        """Check and send the file, or go on with its run, as far as it comes.

        What stops it is in the report. Raises `UsageError`, and `JournalError` where the journal cannot be read.
        """
        run = self._find_run(taken)
        try:
            intake = None if run else self._read(taken)
            if intake is not None and intake.invalid and not self.options.skip_invalid:
                return self._refuse_rows(taken, intake)
            return self._send(taken, run, intake)
        except InputFileError as error:
            run_report = replace(report_failure(error, taken.path, None), state=RunState.FINISHED)
            return self._refuse(taken, run_report, (), "refused, nothing was sent", _say(error))
        except InterruptedRunError as interrupted:  # while reading what is live: nothing was sent yet
            return self._leave(taken, run, self.stop.reason or interrupted)
        except (StoppedError, BusyError) as error:
            return self._leave(taken, run, error)

    def _find_run(self, taken: ClaimedFile) -> Run | None:
        try:
            return self.journal.find_run(taken.run_id)
        except UsageError:  # it was taken, but not begun
            return None

    def _read(self, taken: ClaimedFile) -> CheckedInput:
        name = taken.shown_name
        if self.folder.register_read_attempt(taken) > READINGS:
            self.folder.clear_read_attempts(taken)
            raise InputFileError(
                f"The program was ended {READINGS} times while it read {name}: from outside, or by the file's size.",
                remedy="Split it, or put it into the inbox again.",
            )
        try:
            intake = load_input_file(taken.path, self.settings, self.options.sheet)
        except BulkUpdateError:
            self.folder.clear_read_attempts(taken)
            raise
        except Exception as error:  # a bug that one sheet meets must not hold up the others night after night
            self.folder.clear_read_attempts(taken)
            LOGGER.debug("the program itself failed while reading", extra={"file": name}, exc_info=True)
            raise InputFileError(
                f"The program itself failed while it read {name} ({type(error).__name__}): a mistake in it.",
                remedy="Please report it; `bulkupdate check` on the file keeps what is needed for that.",
            ) from error
        self.folder.clear_read_attempts(taken)
        return intake

    def _leave(self, taken: ClaimedFile, run: Run | None, error: BulkUpdateError) -> FileReport:
        """Leave the file where it is; if another process is working on its run, the night goes on."""
        run_report = report_failure(error, taken.path, run.id if run else None)
        ends_night = not isinstance(error, BusyError)
        return FileReport(
            taken.shown_name, taken.path, run_report, (), "left as it is for the next call", _say(error), ends_night
        )

    # -- refusing -----------------------------------------------------------------------------------------------

    def _refuse_rows(self, taken: ClaimedFile, intake: CheckedInput) -> FileReport:
        report = self.folder.report_path(taken, "-check.xlsx")
        files = write_check(intake, self.settings, report, None).paths
        place = self.folder.find_place(taken, self.folder.failed)
        run_report = report_check(intake, ExitCode.FILE_REFUSED, report, f"bulkupdate check {quote_argument(place)}")
        sentence = f"refused: {intake.invalid:,} of {len(intake.checked):,} rows are invalid, nothing was sent"
        return self._refuse(taken, run_report, files, sentence, "The check report names every problem.")

    def _refuse(
        self, taken: ClaimedFile, run_report: RunReport, files: tuple[Path, ...], sentence: str, reason: str
    ) -> FileReport:
        place = self.folder.find_place(taken, self.folder.failed)
        return FileReport(taken.shown_name, place, replace(run_report, file=str(place)), files, sentence, reason)

    # -- sending ------------------------------------------------------------------------------------------------

    def _send(self, taken: ClaimedFile, run: Run | None, intake: CheckedInput | None) -> FileReport:
        results = self.folder.report_path(taken, "-results.xlsx")
        client = open_client(self.settings, self.clock, self.stop)
        try:
            parts = RunContext(self.settings, self.journal, client, self.clock, self.stop)
            came_before = 0
            if intake is not None:
                self._warn_of_earlier_run(taken, intake, parts)
                options = replace(self.options.run_options, skip_invalid=self.options.skip_invalid)
                plan = plan_sending(intake, parts, options)
                run = begin_planned(parts, taken.run_id, plan, options, results)
            elif run is not None:
                came_before = self._count_settled(run)
                run = self._prepare_resume(run, parts, results)
            assert run is not None
            self._log_plan(taken, run, parts)
            ending = execute_run(run, parts, RowLog(run.id, self.clock))
        finally:
            client.close()
        is_stuck = intake is None and self._count_settled(ending.run) == came_before
        return self._report(taken, ending, is_stuck=is_stuck)

    def _warn_of_earlier_run(self, taken: ClaimedFile, intake: CheckedInput, parts: RunContext) -> None:
        for earlier in self.journal.runs_of_file(intake.sha256, parts.host):
            LOGGER.warning(
                "a file with this content was sent before, at %s, by run %s", earlier.started, earlier.id,
                extra={"run": taken.run_id, "file": taken.shown_name},
            )  # fmt: skip
            return

    def _prepare_resume(self, run: Run, parts: RunContext, results: Path) -> Run:
        """Prepare an unfinished run to go on. Raises `UsageError` if it is for another service."""
        if run.host != parts.host:
            raise UsageError(
                f"Run {run.id} is about {run.host}, but the settings name {parts.host}: nothing was sent.",
                remedy=f"Set BULKUPDATE_BASE_URL to the service at {run.host}, or move its file out of working/.",
            )
        if run.results_path != str(results):  # the folder was moved
            self.journal.set_results_path(run, results)
        return self.journal.find_run(run.id)

    def _count_settled(self, run: Run) -> int:
        tally = self.journal.tally(run)
        return tally[Status.UPDATED] + tally[Status.REJECTED]

    def _log_plan(self, taken: ClaimedFile, run: Run, parts: RunContext) -> None:
        tally = self.journal.tally(run)
        rows = sum(tally[status] for status in (Status.NOT_ATTEMPTED, Status.UNKNOWN, Status.FAILED))
        now, quota = self.clock.now(), parts.client.quota
        if self.options.end is None:
            last = format_local_time(quota.when_sent(rows + 1), now)
            plan = f"the quota allows the last of them at {last}"
        else:
            fitting = max(0, count_fitting(quota, rows + 1, self.options.end) - 1)  # but for the sign-in
            plan = f"{fitting:,} of them fit the quota by {format_local_time(self.options.end, now)}"
        LOGGER.info("plan: %s rows to send, %s", f"{rows:,}", plan, extra={"run": run.id, "file": taken.shown_name})

    def _report(self, taken: ClaimedFile, ending: RunResult, *, is_stuck: bool) -> FileReport:
        error = ending.error or ending.results_error
        is_done = error is None
        place = self.folder.find_place(taken, self.folder.done) if is_done else taken.path
        code = ending.exit_code if ending.error or is_done else ExitCode.STOPPED
        ended = report_ending(ending, self.journal, self.settings.state_dir)
        run_report = replace(ended, file=str(place), exit_code=code)
        files = tuple(path for path in (ending.results, ending.to_fix) if path is not None)
        if ending.results is not None and ending.to_fix is None:  # an earlier night's, whose rows have gone through
            to_fix_path(ending.results).unlink(missing_ok=True)
        may_be_its_own_fault = is_stuck and isinstance(error, ServiceDownError) and not self.stop.is_set()
        return FileReport(
            taken.shown_name, place, run_report, files, _describe(ending), _say(error) if error else "",
            ends_night=not is_done and not may_be_its_own_fault,
        )  # fmt: skip


def _describe(ending: RunResult) -> str:
    tally = ending.tally
    through = tally[Status.UPDATED] + tally[Status.UNCHANGED]
    if ending.error is not None:
        return f"stopped, {tally.rows - through:,} of {tally.rows:,} rows left; the next night goes on"
    if ending.results_error is not None:
        return "sent, but its results could not be written; the next night tries again"
    if tally.is_all_well:
        return f"done, {tally.rows:,} {'row' if tally.rows == 1 else 'rows'}"
    return f"finished, but {tally.rows - through:,} of {tally.rows:,} rows did not go through"


def _say(error: BulkUpdateError) -> str:
    return f"{error} {error.remedy}" if error.remedy else str(error)
