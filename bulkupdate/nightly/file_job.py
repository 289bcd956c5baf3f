"""Process one file of the night, from the point that it has reached according to the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bulkupdate.errors import (
    BulkUpdateError,
    BusyError,
    ExitCode,
    InputFileError,
    InterruptedRunError,
    LimitExceededError,
    OvertakenRunError,
    StoppedError,
    UsageError,
)
from bulkupdate.nightly.file_report import FileOutcome, FileReport
from bulkupdate.nightly.file_sender import FileSender, explain
from bulkupdate.nightly.folder import ClaimedFile
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.nightly.night_options import DuplicatePolicy
from bulkupdate.runs.live.fetch import ignore_progress
from bulkupdate.runs.loading.input_file import CheckedInput, load_input_file
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matched_input import FoundCustomers
from bulkupdate.runs.matching.search import make_search
from bulkupdate.runs.previous_runs import find_previous_run
from bulkupdate.runs.reporting.check_reports import write_check
from bulkupdate.runs.reporting.check_summary import WrittenReports, report_check
from bulkupdate.runs.reporting.run_report import RunReport, report_failure
from bulkupdate.runs.reporting.run_result import list_reading_arguments
from bulkupdate.runs.run_records import Run, RunState
from bulkupdate.spreadsheets.reading.file_type import ENDINGS
from bulkupdate.text import SuggestedCommand, pluralize

MAX_READ_ATTEMPTS = 2
"""Times that the program may be killed while reading a file before the file is refused: one may be a power cut."""


@dataclass(frozen=True)
class FileProcessor:
    """Processes the files of one night."""

    sender: FileSender

    def process(self, claimed: ClaimedFile) -> FileReport:
        """Check and send the file, or resume its run.

        What stops the run is in the report. Raises `UsageError` if the run belongs to another service, and
        `JournalError` if the journal cannot be read.
        """
        run = self._find_run(claimed)
        try:
            if run is not None:
                return self.sender.resume(claimed, run)
            checked_input = self._read(claimed)
            if checked_input.invalid and not self.sender.options.skip_invalid:
                return self._refuse_rows(claimed, checked_input)
            return self._send(claimed, checked_input)
        except LimitExceededError as error:
            return self._refuse_file(claimed, error)
        except InputFileError as error:
            return self._refuse_file(claimed, _use_original_name(error, claimed))
        except InterruptedRunError as interrupted:  # while fetching live customers: nothing was sent yet
            return self._leave(claimed, run, self.sender.stop.reason or interrupted)
        except (StoppedError, BusyError) as error:
            return self._leave(claimed, run, error)

    def _find_run(self, claimed: ClaimedFile) -> Run | None:
        try:
            return self.sender.journal.find_run(claimed.run_id)
        except UsageError:  # claimed, but its run has not begun
            return None

    def _read(self, claimed: ClaimedFile) -> CheckedInput:
        name, folder = claimed.original_name, self.sender.folder
        if folder.register_read_attempt(claimed) > MAX_READ_ATTEMPTS:
            folder.clear_read_attempts(claimed)
            raise InputFileError(
                f"The program was killed {MAX_READ_ATTEMPTS} times while it read {name}; the file may be too large.",
                remedy="Split it, and put the parts in inbox/.",
            )
        try:
            find = partial(self._find_customers, claimed)
            return load_input_file(claimed.path, self.sender.settings, self.sender.options.sheet, find)
        except BulkUpdateError:
            raise
        except Exception as error:  # a bug that one file triggers must not block the others every night
            LOGGER.debug("the program itself failed while reading", extra={"file": name}, exc_info=True)
            raise InputFileError(
                f"The program itself failed while it read {name} ({type(error).__name__}): "
                "this is a bug in it, not in your file.",
                remedy="Run `bulkupdate check` on the file: it saves a crash report. Send that to your administrator.",
            ) from error
        finally:
            folder.clear_read_attempts(claimed)

    def _find_customers(self, claimed: ClaimedFile, key: Key, keys: Sequence[str]) -> FoundCustomers:
        """Search the service for the customers of a file that was read."""
        self.sender.folder.clear_read_attempts(claimed)
        if not keys:
            return FoundCustomers({})
        context = self.sender.open_context()
        search = make_search(context, key, keys)
        requests = search.begin()
        LOGGER.info(
            "finding %s by %s takes %s", pluralize(len(keys), "customer"), key.name, pluralize(requests, "request"),
            extra={"run": claimed.run_id, "file": claimed.original_name},
        )  # fmt: skip
        customers = search.run(ignore_progress, LOGGER.info)
        return FoundCustomers(customers, tuple(search.notes), context.client.calls)

    def _leave(self, claimed: ClaimedFile, run: Run | None, error: BulkUpdateError) -> FileReport:
        """Leave the file where it is. The night ends, unless the cause concerns only this file."""
        sentence, reason = "left for the next night", explain(error)
        if isinstance(error, OvertakenRunError):  # no later night can continue it
            sentence = "not continued: newer runs have updated its customers"
            reason = f"{reason} If not, move its file out of working/."
        return FileReport(
            name=claimed.original_name,
            path=claimed.path,
            outcome=FileOutcome.STOPPED,
            run_report=report_failure(error, claimed.path, run.id if run else None),
            sentence=sentence,
            reason=reason,
            public_reason=reason,
            ends_night=not isinstance(error, BusyError | OvertakenRunError),
        )

    # -- refusing -----------------------------------------------------------------------------------------------

    def _refuse_file(self, claimed: ClaimedFile, error: InputFileError) -> FileReport:
        run_report = replace(report_failure(error, claimed.path, None), next_command=self._check_command(claimed))
        advice = "" if "inbox/" in explain(error) else _correct(claimed)
        report = self._make_refusal(
            claimed, run_report, "refused, nothing was sent", f"{explain(error)} {advice}".strip()
        )
        return replace(report, public_reason=advice)

    def _refuse_rows(self, claimed: ClaimedFile, checked_input: CheckedInput) -> FileReport:
        folder = self.sender.folder
        report = folder.report_path(claimed, "-check.xlsx")
        written = write_check(checked_input, self.sender.settings, report, None)
        run_report = report_check(checked_input, ExitCode.FILE_REFUSED, written, self._check_command(claimed))
        rows = pluralize(len(checked_input.checked), "row")
        verb = "is" if checked_input.invalid == 1 else "are"
        sentence = f"refused: {checked_input.invalid:,} of {rows} {verb} invalid, nothing was sent"
        reason = f"The check report lists every problem. {_correct(claimed)}"
        return self._make_refusal(claimed, replace(run_report, state=RunState.STOPPED), sentence, reason, written.paths)

    def _make_refusal(
        self, claimed: ClaimedFile, run_report: RunReport, sentence: str, reason: str, files: tuple[Path, ...] = ()
    ) -> FileReport:
        target = self.sender.folder.find_target(claimed, self.sender.folder.failed)
        return FileReport(
            name=claimed.original_name,
            path=target,
            outcome=FileOutcome.REFUSED,
            run_report=replace(run_report, file=str(target)),
            sentence=sentence,
            files=files,
            reason=reason,
            public_reason=reason,
        )

    def _check_command(self, claimed: ClaimedFile) -> SuggestedCommand:
        """Return the command that shows what is wrong with a refused file."""
        folder = self.sender.folder
        arguments = list_reading_arguments(self.sender.options.run_options)
        return SuggestedCommand("check", folder.find_target(claimed, folder.failed), *arguments)

    # -- sending ------------------------------------------------------------------------------------------------

    def _send(self, claimed: ClaimedFile, checked_input: CheckedInput) -> FileReport:
        is_searched = checked_input.matched is not None and checked_input.matched.requests > 0
        context = self.sender.open_context(keeps_count=is_searched)
        journal = self.sender.journal
        previous = find_previous_run(journal, checked_input.sha256, context.host)
        if previous is None:
            return self.sender.send(claimed, checked_input, context)
        sent_before = previous.describe()
        LOGGER.warning(
            "a file with this content was sent before, at %s, by run %s", previous.started, previous.id,
            extra={"run": claimed.run_id, "file": claimed.original_name},
        )  # fmt: skip
        policy = self.sender.options.duplicates
        if policy is DuplicatePolicy.REFUSE:
            return self._refuse_duplicate(claimed, checked_input, sent_before)
        if policy is DuplicatePolicy.SKIP and previous.counts.is_all_well:
            return self._skip(claimed, checked_input, sent_before)
        return replace(self.sender.send(claimed, checked_input, context), sent_before=sent_before)

    def _refuse_duplicate(self, claimed: ClaimedFile, checked_input: CheckedInput, sent_before: str) -> FileReport:
        run_report = replace(
            report_check(checked_input, ExitCode.FILE_REFUSED, WrittenReports(), None), state=RunState.STOPPED
        )
        reason = "To send it again, put it back in inbox/ and run the night with --duplicates warn."
        report = self._make_refusal(claimed, run_report, "refused: it was sent before, nothing was sent again", reason)
        return replace(report, sent_before=sent_before)

    def _skip(self, claimed: ClaimedFile, checked_input: CheckedInput, sent_before: str) -> FileReport:
        target = self.sender.folder.find_target(claimed, self.sender.folder.done)
        run_report = report_check(checked_input, ExitCode.DONE, WrittenReports(), None)
        return FileReport(
            name=claimed.original_name,
            path=target,
            outcome=FileOutcome.SKIPPED,
            run_report=replace(run_report, file=str(target)),
            sentence="skipped: all of its rows were updated before",
            sent_before=sent_before,
        )


def _correct(claimed: ClaimedFile) -> str:
    name = Path(claimed.original_name)
    if name.suffix.lower() not in ENDINGS:
        return f"Save it as {name.stem}.xlsx or {name.stem}.csv, and put that in inbox/."
    return f"Correct it and put it back in inbox/ as {name}."


def _use_original_name(error: InputFileError, claimed: ClaimedFile) -> InputFileError:
    """Return the error with the name that users gave the file."""
    own, original = claimed.path.stem, Path(claimed.original_name).stem  # a remedy may name it with another ending
    remedy = error.remedy and error.remedy.replace(own, original)
    return InputFileError(str(error).replace(own, original), remedy=remedy)
