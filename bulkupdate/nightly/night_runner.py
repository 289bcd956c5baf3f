"""Process a night: first the files that an earlier night left unfinished, then the inbox, oldest first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.nightly.file_job import FileProcessor, NightOptions
from bulkupdate.nightly.file_report import FileReport, write_file_summary
from bulkupdate.nightly.folder import ClaimedFile, NightFolder
from bulkupdate.nightly.folder_lock import Owner, hold_folder
from bulkupdate.nightly.inbox import is_unchanged, list_waiting_files, wait_until_settled
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.nightly.notifications import Notifier
from bulkupdate.nightly.window import close_window_at
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.journal import Journal
from bulkupdate.settings import Settings

OnReport = Callable[[FileReport], None]
"""Called for each file once it is in its final place."""


def run_night(
    root: Path,
    settings: Settings,
    options: NightOptions,
    clock: Clock,
    stop: Cancellation,
    on_report: OnReport,
    notifier: Notifier,
) -> ExitCode:
    """Process the folder; return the highest exit code of its files.

    Raises `UsageError` if folder or settings cannot be used, `BusyError` if another process is working on the folder,
    and `JournalError`. Each file is left where the next night continues with it.
    """
    settings.require_connection()
    notifier.check()
    folder = NightFolder(root)
    with hold_folder(folder.state_folder, clock) as killed, Journal(settings.state_dir, clock) as journal:
        _prepare_folder(folder, killed, clock)
        with close_window_at(options.end, stop, clock):
            processor = FileProcessor(folder, settings, options, journal, clock, stop)
            highest = _process_files(processor, on_report, notifier)
        return _find_exit_code(processor, highest)


def _prepare_folder(folder: NightFolder, killed: Owner | None, clock: Clock) -> None:
    if folder.is_new:
        LOGGER.warning("%s had no inbox/, so no file can have been waiting; it has been created", folder.root)
    if killed is not None:
        LOGGER.warning("taking the folder over from %s, which was killed", killed)
    folder.clear_leftovers(clock.now())
    for path in folder.list_foreign_files():
        LOGGER.warning("ignored in working/: the program did not put it there", extra={"file": path.name})


def _process_files(processor: FileProcessor, on_report: OnReport, notifier: Notifier) -> ExitCode:
    highest = ExitCode.DONE
    for claimed in _claim_files(processor):
        report = processor.process(claimed)
        _finish_file(claimed, report, processor, notifier)
        on_report(report)
        highest = max(highest, report.exit_code)
        if report.ends_night or processor.stop.is_set():
            break
    return highest


def _claim_files(processor: FileProcessor) -> Iterator[ClaimedFile]:
    """Yield what the last night left in `working/`; then the inbox, each file claimed only when its turn comes."""
    folder, clock, stop = processor.folder, processor.clock, processor.stop
    yield from folder.list_claimed()
    for waiting in wait_until_settled(folder.inbox, processor.options.settle_seconds, clock, stop):
        is_ready = not stop.is_set() and is_unchanged(waiting)
        claimed = folder.claim(waiting.path, clock.now()) if is_ready else None
        if claimed is not None:
            LOGGER.info("claimed", extra={"run": claimed.run_id, "file": waiting.path.name})
            yield claimed


def _finish_file(claimed: ClaimedFile, report: FileReport, processor: FileProcessor, notifier: Notifier) -> None:
    """Report on the file, then move it: a crash in between reports it twice, never not at all."""
    write_file_summary(report, processor.folder.report_path(claimed, ".json"))
    level = logging.INFO if report.exit_code is ExitCode.DONE else logging.WARNING
    context = {"run": claimed.run_id, "file": report.name, "exit_code": int(report.exit_code)}
    LOGGER.log(level, "%s", report.sentence, extra=context)
    if report.reason:  # a refusal may quote a heading, and that may be customer data
        quotes_cells = report.exit_code is ExitCode.FILE_REFUSED
        LOGGER.log(logging.DEBUG if quotes_cells else level, "reason: %s", report.reason, extra={"run": claimed.run_id})
    notifier.notify(report)
    if report.path != claimed.path:
        processor.folder.archive(claimed, report.path)
        if report.run_report.run:
            processor.journal.set_file(claimed.run_id, report.path)


def _find_exit_code(processor: FileProcessor, highest: ExitCode) -> ExitCode:
    """Return the exit code of the night: if files are left because its time is over, it stopped, though no run did."""
    stop, folder = processor.stop, processor.folder
    if not stop.is_set() or highest in (ExitCode.STOPPED, ExitCode.INTERRUPTED):
        return highest
    if stop.reason is None:
        return ExitCode.INTERRUPTED
    is_left = bool(folder.list_claimed() or list_waiting_files(folder.inbox))
    return max(highest, ExitCode.STOPPED) if is_left else highest
