"""Process a night: first what was left over, then what waits in the inbox, oldest first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.errors import ExitCode
from bulkupdate.nightly.file_job import FileProcessor, NightOptions
from bulkupdate.nightly.file_report import FileReport, write_summary
from bulkupdate.nightly.folder import ClaimedFile, NightFolder
from bulkupdate.nightly.folder_lock import Owner, hold_folder
from bulkupdate.nightly.inbox import is_unchanged, look, wait_until_settled
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.nightly.notifications import Notices
from bulkupdate.nightly.window import closing_at
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.journal import Journal
from bulkupdate.settings import Settings

Tell = Callable[[FileReport], None]
"""Told of each file once it is filed."""


def run_night(
    root: Path,
    settings: Settings,
    options: NightOptions,
    clock: Clock,
    stop: Cancellation,
    tell: Tell,
    notices: Notices,
) -> ExitCode:
    """Work through the folder; gives the highest exit code of its files.

    Raises `UsageError` where folder or settings cannot work, `BusyError` where another call is at work on it, and
    `JournalError`. Each file is left where the next call goes on with it.
    """
    settings.require_connection()
    notices.check()
    folder = NightFolder(root)
    with hold_folder(folder.own, clock) as dead, Journal(settings.state_dir, clock) as journal:
        _put_in_order(folder, dead, clock)
        with closing_at(options.end, stop, clock):
            night = FileProcessor(folder, settings, options, journal, clock, stop)
            worst = _work_through(night, tell, notices)
        return _judge(night, worst)


def _put_in_order(folder: NightFolder, dead: Owner | None, clock: Clock) -> None:
    if folder.is_new:
        LOGGER.warning("%s had no inbox/, so that nothing can wait there; it has been made", folder.root)
    if dead is not None:
        LOGGER.warning("taking the folder over from %s, which ended without giving it back", dead)
    folder.clear_leftovers(clock.now())
    for path in folder.list_foreign_files():
        LOGGER.warning("left alone in working/: it was not put there by the program", extra={"file": path.name})


def _work_through(night: FileProcessor, tell: Tell, notices: Notices) -> ExitCode:
    worst = ExitCode.DONE
    for taken in _list_files(night):
        report = night.process(taken)
        _file(taken, report, night, notices)
        tell(report)
        worst = max(worst, report.exit_code)
        if report.ends_night or night.stop.is_set():
            break
    return worst


def _list_files(night: FileProcessor) -> Iterator[ClaimedFile]:
    """Yield what the last call left in `working/`; then the inbox, each file taken only when its turn comes."""
    yield from night.folder.list_taken()
    for waiting in wait_until_settled(night.folder.inbox, night.options.settle_seconds, night.clock, night.stop):
        is_ready = not night.stop.is_set() and is_unchanged(waiting)
        taken = night.folder.take(waiting.path, night.clock.now()) if is_ready else None
        if taken is not None:
            LOGGER.info("taken", extra={"run": taken.run_id, "file": waiting.path.name})
            yield taken


def _file(taken: ClaimedFile, report: FileReport, night: FileProcessor, notices: Notices) -> None:
    """Tell of the file, then move it: a crash in between tells of it twice, never not at all."""
    write_summary(report, night.folder.report_path(taken, ".json"))
    level = logging.INFO if report.exit_code is ExitCode.DONE else logging.WARNING
    LOGGER.log(
        level, "%s", report.sentence,
        extra={"run": taken.run_id, "file": report.name, "exit_code": int(report.exit_code)},
    )  # fmt: skip
    if report.reason:  # a refusal may quote a heading: what is quoted there may be a customer's
        quotes_cells = report.exit_code is ExitCode.FILE_REFUSED
        LOGGER.log(logging.DEBUG if quotes_cells else level, "reason: %s", report.reason, extra={"run": taken.run_id})
    notices.notify(report)
    if report.place != taken.path:
        night.folder.archive(taken, report.place)
        if report.run_report.run:
            night.journal.set_file(taken.run_id, report.place)


def _judge(night: FileProcessor, worst: ExitCode) -> ExitCode:
    """With files left because the time is over, the night stopped, though no run did."""
    if not night.stop.is_set() or worst in (ExitCode.STOPPED, ExitCode.INTERRUPTED):
        return worst
    if night.stop.reason is None:
        return ExitCode.INTERRUPTED
    is_left = bool(night.folder.list_taken() or look(night.folder.inbox))
    return max(worst, ExitCode.STOPPED) if is_left else worst
