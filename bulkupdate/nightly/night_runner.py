"""Process a night: first the files that an earlier night left unfinished, then the inbox, oldest first."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, ExitCode, UsageError
from bulkupdate.nightly.file_job import FileProcessor
from bulkupdate.nightly.file_report import FileReport, write_file_summary
from bulkupdate.nightly.file_sender import FileSender, explain
from bulkupdate.nightly.folder import ClaimedFile, NightFolder
from bulkupdate.nightly.folder_lock import hold_folder
from bulkupdate.nightly.heartbeat import Signal, choose_signal, send_heartbeat
from bulkupdate.nightly.inbox import WaitingFile, is_unchanged, list_waiting_files, wait_until_settled
from bulkupdate.nightly.left_files import InboxHistory, LeftFile, find_left_files
from bulkupdate.nightly.logs import LOGGER
from bulkupdate.nightly.metrics import keep_metrics, write_metrics
from bulkupdate.nightly.night_options import NightOptions
from bulkupdate.nightly.night_report import NightReport
from bulkupdate.nightly.notifications import Notifier
from bulkupdate.nightly.remote_folder import RemoteFolder
from bulkupdate.nightly.window import close_window_at
from bulkupdate.remote.address import Address
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.journal import Journal
from bulkupdate.settings import Settings
from bulkupdate.text import SuggestedCommand


@dataclass(frozen=True)
class Night:
    """The settings of a night, and the functions it calls.

    `on_report` is called for each file once it is in its final place. `explain_bug` saves a crash report and returns
    the sentence about it. `metrics_file` is where to write metrics, None for none. `failure` is an error that was found
    before the night could begin, such as a wrong setting: the night then only reports it. `repeat_options` adds the
    user's own options, such as `--config`, to the next command of a file.
    """

    root: Path
    settings: Settings
    options: NightOptions
    clock: Clock
    stop: Cancellation
    notifier: Notifier
    on_report: Callable[[FileReport], None]
    explain_bug: Callable[[BaseException], BulkUpdateError]
    metrics_file: Path | None = None
    failure: BulkUpdateError | None = None
    repeat_options: Callable[[SuggestedCommand | None], SuggestedCommand | None] = lambda command: command
    remote: Address | None = None


@dataclass
class _Progress:
    """The results of the night so far."""

    files: list[FileReport] = field(default_factory=list)
    left_files: list[LeftFile] = field(default_factory=list)
    history: InboxHistory = field(default_factory=InboxHistory)
    sender: FileSender | None = None
    exit_code: ExitCode = ExitCode.DONE


def run_night(night: Night) -> NightReport:
    """Process the folder, and report its start and its end: log, heartbeat, metrics and notification.

    An error that ends the night is in the report. Each file is left where the next night continues with it.
    """
    started, progress, error = night.clock.now(), _Progress(), None
    LOGGER.info("night begins: %s", night.remote or night.root)
    send_heartbeat(night.settings.heartbeat_url, Signal.START, night.clock, night.stop)
    try:
        _process_folder(night, progress)
    except BulkUpdateError as failure:
        error = failure
    except Exception as bug:  # noqa: BLE001 - a bug is reported like any other failure of a night
        error = night.explain_bug(bug)
    exit_code = max(progress.exit_code, error.exit_code if error else ExitCode.DONE)
    report = NightReport(
        folder=night.remote or night.root.absolute(), started=started, ended=night.clock.now(), exit_code=exit_code,
        files=tuple(progress.files), requests=progress.sender.calls if progress.sender else 0,
        left_files=tuple(progress.left_files), error=error,
    )  # fmt: skip
    if report.overdue_files and report.exit_code is ExitCode.DONE:
        report = replace(report, exit_code=ExitCode.INCOMPLETE)
    return _report_end(night, report)


def _report_end(night: Night, report: NightReport) -> NightReport:
    """Report the end of the night; return the report with the notifications that failed."""
    if report.error is not None:
        LOGGER.error("night failed: %s", explain(report.error))
    night.notifier.notify_night(report)
    report = replace(report, failed_notifications=night.notifier.failures)
    is_well = report.exit_code is ExitCode.DONE and not report.failed_notifications
    level = logging.INFO if is_well else logging.WARNING
    LOGGER.log(level, "night ends: %s", report.describe(), extra={"night": report.to_json()})
    _write_metrics(night, report)
    send_heartbeat(night.settings.heartbeat_url, choose_signal(report.exit_code), night.clock, night.stop)
    return report


def _write_metrics(night: Night, report: NightReport) -> None:
    """Write the metrics wherever they can be; warn once of where they cannot."""
    errors = []
    for write in (_write_metrics_file, _keep_metrics):
        try:
            write(night, report)
        except BulkUpdateError as error:
            errors.append(explain(error))
    if errors:
        LOGGER.warning("the metrics were not written: %s", " ".join(errors))


def _write_metrics_file(night: Night, report: NightReport) -> None:
    if night.metrics_file is not None:
        write_metrics(report, night.metrics_file)


def _keep_metrics(night: Night, report: NightReport) -> None:
    if night.failure is None:  # else the settings may be wrong that name the journal
        with Journal(night.settings.store, night.clock, checks_pages=False) as journal:
            keep_metrics(report, journal)


def _process_folder(night: Night, progress: _Progress) -> None:
    if night.failure is not None:
        raise night.failure
    night.settings.require_connection()
    night.notifier.check()
    folder = NightFolder(night.root, create=night.options.create or night.remote is not None)
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(night.settings.store, night.clock, checks_pages=False))
        address = str(night.remote or "")
        killed = stack.enter_context(hold_folder(folder.state_folder, night.clock, journal.home, address))
        if killed is not None:
            LOGGER.warning("taking the folder over from %s, which was killed", killed)
        journal.home.require_whole()  # slow, so not before it is certain that this night takes place
        remote = None
        if night.remote is not None:
            remote, options = RemoteFolder(night.remote, folder, night.settings), night.options
            remote.fetch(options.settle_seconds, night.clock, night.stop, create=options.create)
            remote.write_back(night.clock.now())  # what the last night finished before it was killed
        progress.sender = sender = FileSender(
            folder, night.settings, night.options, journal, night.clock, night.stop, night.repeat_options
        )
        stack.callback(sender.close)
        with close_window_at(night.options.end, night.stop, night.clock):
            is_cut_short = _process_files(night, FileProcessor(sender), progress, remote)
        progress.exit_code = _find_exit_code(night, folder, progress.exit_code)
        progress.left_files = _find_left_files(night, folder, progress, remote, is_cut_short=is_cut_short)


def _process_files(night: Night, processor: FileProcessor, progress: _Progress, remote: RemoteFolder | None) -> bool:
    """Process all files; return whether the night ended before it reached them all."""
    sender = processor.sender
    for claimed in _claim_files(night, sender.folder, progress.history, sender.journal):
        report = processor.process(claimed)
        next_command = night.repeat_options(report.run_report.next_command)
        report = replace(report, run_report=replace(report.run_report, next_command=next_command))
        progress.files.append(report)
        progress.exit_code = max(progress.exit_code, report.exit_code)
        _finish_file(claimed, report, sender, night.notifier)
        night.on_report(report)
        if remote is not None:
            remote.write_back(night.clock.now())
        if report.ends_night or night.stop.is_set():
            return True
    return night.stop.is_set()


def _claim_files(night: Night, folder: NightFolder, history: InboxHistory, journal: Journal) -> Iterator[ClaimedFile]:
    """Yield what the last night left in `working/`; then the inbox, each file claimed only when its turn comes.

    Files with only rows answered 401 left come last, as they may end each night.
    """
    left = folder.list_claimed()
    refused = [claimed for claimed in left if _is_refused(claimed, journal)]
    yield from (claimed for claimed in left if claimed not in refused)
    history.settled = wait_until_settled(folder.inbox, night.options.settle_seconds, night.clock, night.stop)
    for waiting in history.settled.ready:
        if night.stop.is_set():
            return
        claimed = _claim(folder, waiting, night.clock, history)
        if claimed is not None:
            LOGGER.info("claimed", extra={"run": claimed.run_id, "file": waiting.path.name})
            yield claimed
    yield from refused


def _is_refused(claimed: ClaimedFile, journal: Journal) -> bool:
    try:
        return journal.has_only_refused_rows(journal.find_run(claimed.run_id))
    except UsageError:  # claimed, but its run has not begun
        return False


def _claim(folder: NightFolder, waiting: WaitingFile, clock: Clock, history: InboxHistory) -> ClaimedFile | None:
    if not is_unchanged(waiting):
        history.changed.add(waiting.path)
        return None
    try:
        return folder.claim(waiting.path, clock.now())
    except OSError as error:
        history.not_movable[waiting.path] = error.strerror or str(error)
        return None


def _finish_file(claimed: ClaimedFile, report: FileReport, sender: FileSender, notifier: Notifier) -> None:
    """Report on the file, then move it: after a crash in between it is reported twice rather than not at all."""
    write_file_summary(report, sender.folder.report_path(claimed, ".json"))
    level = logging.INFO if report.exit_code is ExitCode.DONE else logging.WARNING
    context = {"run": claimed.run_id, "file": report.name, "exit_code": int(report.exit_code)}
    LOGGER.log(level, "%s", report.sentence, extra=context)
    if report.public_reason:
        LOGGER.log(level, "reason: %s", report.public_reason, extra={"run": claimed.run_id})
    if report.reason != report.public_reason:  # it may quote a heading, and that may be customer data
        LOGGER.debug("reason: %s", report.reason, extra={"run": claimed.run_id})
    notifier.notify_file(report)
    if report.path != claimed.path:
        sender.folder.archive(claimed, report.path)
        if report.run_report.run:
            sender.journal.set_file(claimed.run_id, report.path)


def _find_exit_code(night: Night, folder: NightFolder, highest: ExitCode) -> ExitCode:
    """Return the exit code of the night, which is that of a stop if its time ended and files are left."""
    if not night.stop.is_set() or highest in (ExitCode.STOPPED, ExitCode.INTERRUPTED):
        return highest
    if night.stop.reason is None:
        return ExitCode.INTERRUPTED
    is_left = bool(folder.list_claimed() or list_waiting_files(folder.inbox))
    return max(highest, ExitCode.STOPPED) if is_left else highest


def _find_left_files(
    night: Night, folder: NightFolder, progress: _Progress, remote: RemoteFolder | None, *, is_cut_short: bool
) -> list[LeftFile]:
    """Find the files left behind, and log each with its reason."""
    left_files = find_left_files(folder, progress.history, night.clock.now(), is_cut_short=is_cut_short)
    left_files += remote.find_left_files() if remote is not None else []
    for left_file in left_files:
        LOGGER.warning("left behind: %s", left_file.message, extra={"file": left_file.name})
    return left_files
