"""Execute a run from beginning to end, for the command line, the upload page and the nightly folder alike."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import Status
from bulkupdate.errors import BulkUpdateError, ExitCode, InterruptedRunError, JournalError, StoppedError
from bulkupdate.runs.cancellation import find_reason
from bulkupdate.runs.input_file import RowSource
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.read_back import awaits_read_back, read_back
from bulkupdate.runs.results import write_run_results
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import NewRun, PendingRow, Run, RunState, StatusCounts
from bulkupdate.runs.sender import Batch, Watch
from bulkupdate.runs.sign_in_wait import sign_in
from bulkupdate.runs.snapshots import SnapshotRecorder
from bulkupdate.sellercloud.client import Client
from bulkupdate.settings import Settings
from bulkupdate.text import quote_argument

RETRIED = (Status.REJECTED, Status.FAILED, Status.UNKNOWN)
"""What `retry` sends again."""

UNDO = "undo"
"""The option of a run that takes another one back: that one's id. What it rejects, someone has changed since."""

_OF_A_FILE = ("only_changes", "since_last", "max_age_days")
"""Options that say how a file was planned; its rows are not planned anew when they are sent again."""


@dataclass(frozen=True)
class RunContext:
    """What a run is made with; built by the door that people came through."""

    settings: Settings
    journal: Journal
    client: Client
    clock: Clock
    stop: threading.Event

    @property
    def host(self) -> str:
        """The service's host, as runs are filed under."""
        return urlsplit(self.client.base_url).netloc


@dataclass(frozen=True)
class RunOptions:
    """What is asked of a run. `limit` is the most rows to send, None for all.

    `only_changes` and `since_last` leave out what is live already, by reading and by the journal (`sparing.py`);
    `max_age_days` bounds the trust in the journal, None: not at all. `snapshot` keeps the previous values for `undo`.
    """

    skip_invalid: bool = False
    verify: bool = False
    limit: int | None = None
    only_changes: bool = False
    since_last: bool = False
    max_age_days: float | None = None
    snapshot: bool = False

    def describe(self) -> dict[str, str | bool]:
        """Return the options as they are kept with a run."""
        kept: dict[str, str | bool] = {
            name: getattr(self, name) for name in ("verify", "skip_invalid", "only_changes", "since_last", "snapshot")
        }
        return kept if self.max_age_days is None else {**kept, "max_age_days": f"{self.max_age_days:g}"}


@dataclass(frozen=True)
class RunResult:
    """How a run ended.

    `error` is why it stopped early, None if it did not; `results` is None where none could be written (then
    `results_error` says why), `to_fix` where every row went through.
    """

    run: Run
    tally: StatusCounts
    error: BulkUpdateError | None
    results: Path | None
    to_fix: Path | None
    results_error: BulkUpdateError | None = None

    @property
    def exit_code(self) -> ExitCode:
        """What the program's exit code is to say."""
        if self.error is not None:
            return self.error.exit_code
        return ExitCode.DONE if self.tally.is_all_well else ExitCode.INCOMPLETE

    @property
    def show_command(self) -> str:
        """The command that writes the results again, at another place."""
        return f"bulkupdate show {self.run.id} -o results-{self.run.id}.xlsx"

    @property
    def next_command(self) -> str | None:
        """The command to go on with; None where nothing is left to do."""
        if self.results_error is not None and self.run.state is RunState.FINISHED:
            return self.show_command
        return next_command(self.run, self.tally, self.to_fix)


def next_command(run: Run, tally: StatusCounts, to_fix: Path | None) -> str | None:
    """Return what to type after a run that has come so far; None where nothing is left to do."""
    if run.state is not RunState.FINISHED:
        return f"bulkupdate resume {run.id}"
    if any(tally[status] for status in RETRIED if not (run.options.get(UNDO) and status is Status.REJECTED)):
        return f"bulkupdate retry {run.id}"
    if tally[Status.INVALID] and to_fix is not None and not run.options.get(UNDO):
        return f"bulkupdate run {quote_argument(to_fix)}"
    return None


def new_run_id(now: float) -> str:
    """Return an id that sorts by time and cannot be guessed: `20260114-093849-k3v9x2mq`."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return f"{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}-" + "".join(secrets.choice(letters) for _ in range(8))


def create_run(parts: RunContext, run_id: str, intake: RowSource, options: RunOptions, results_path: Path) -> Run:
    """Write a checked file into the journal as a new run. Nothing is sent yet."""
    new = NewRun(
        id=run_id,
        file=intake.shown_as or str(intake.path.resolve()),
        sha256=intake.sha256,
        host=parts.host,
        username=parts.settings.username,
        headings=intake.checked.original_headings,
        options=options.describe(),
        settings=parts.settings.describe(),
        results_path=str(results_path.resolve()),
        parent=None,
    )
    return parts.journal.add_run(new, intake.checked.rows(), intake.checked.problems)


def begin_retry(parts: RunContext, parent: Run, run_id: str, results_path: Path) -> Run:
    """Return a new run, linked to `parent`, of exactly its rows that are failed, rejected or unknown."""
    new = NewRun(
        id=run_id,
        file=parent.file,
        sha256=parent.sha256,
        host=parent.host,
        username=parts.settings.username,
        headings=parent.headings,
        options={name: value for name, value in parent.options.items() if name not in _OF_A_FILE},
        settings=parts.settings.describe(),
        results_path=str(results_path.resolve()),
        parent=parent.id,
    )
    return parts.journal.add_run(new, parts.journal.checked_rows(parent, RETRIED))


def execute_run(run: Run, parts: RunContext, watch: Watch, limit: int | None = None) -> RunResult:
    """Send what is not confirmed, read back what must be, and write the results.

    `limit` is the most rows to send, None for all. What stops a run early is in the ending, not raised. Raises
    `BusyError` where another process is at work on it; and, with the journal in order, whatever a bug raises.
    """
    with lock_run(parts.settings.state_dir, run.id):
        run = parts.journal.find_run(run.id)  # another process may have gone on with it meanwhile
        if run.state is RunState.FINISHED:
            return _write_results(RunResult(run, parts.journal.tally(run), None, None, None), parts.journal)
        error: BulkUpdateError | None = None
        try:
            parts.journal.set_state(run, RunState.RUNNING)
            _send(run, parts, watch, limit)
        except StoppedError as stopped:
            error = stopped
        except InterruptedRunError as interrupted:
            error = find_reason(parts.stop) or interrupted
        except BaseException:
            with suppress(JournalError):
                parts.journal.set_state(
                    run, RunState.STOPPED, stopped_by="the program itself failed", calls=_count_calls(run, parts)
                )
            raise
        return _end(run, parts, error)


def _send(run: Run, parts: RunContext, watch: Watch, limit: int | None) -> None:
    if next(parts.journal.pending(run), None) is None and not awaits_read_back(run, parts.journal):
        return  # not even a sign-in
    sign_in(parts.client, parts.stop, lambda waiting: watch((), waiting))
    concurrency = parts.settings.concurrency
    rows: Iterator[PendingRow] = islice(parts.journal.pending(run), limit)
    if run.options.get("snapshot"):
        rows = SnapshotRecorder(run, parts.journal, parts.client, parts.clock, watch, concurrency).snapshot_before_send(
            rows
        )
    batch = Batch(
        run=run,
        journal=parts.journal,
        client=parts.client,
        clock=parts.clock,
        stop=parts.stop,
        concurrency=concurrency,
        max_failures=parts.settings.max_failures,
        verify=bool(run.options.get("verify")),
        watch=watch,
    )
    batch.send(rows)
    read_back(run, parts.journal, parts.client, parts.clock, watch, concurrency)


def _count_calls(run: Run, parts: RunContext) -> int:
    return run.calls + parts.client.calls


def _end(run: Run, parts: RunContext, error: BulkUpdateError | None) -> RunResult:
    """Write the results, and then that the run is at its end: killed in between, `resume` writes the results again.

    Where the end cannot be written (the disk is full), the run stands as running, but nobody holds it: so too then.
    """
    try:
        error = error or _find_loss(parts.journal)
        tally = parts.journal.tally(run)
        ended = _describe_end(run, parts, tally, error)
    except JournalError as unreadable:
        return RunResult(replace(run, state=RunState.STOPPED), StatusCounts(), error or unreadable, None, None)
    ending = _write_results(RunResult(ended, tally, error, None, None), parts.journal)
    with suppress(JournalError):
        parts.journal.set_state(run, ended.state, stopped_by=ended.stopped_by, calls=ended.calls)
    return ending


def _find_loss(journal: Journal) -> JournalError | None:
    """Return the error if the journal was deleted or replaced after the last commit; None if it is there."""
    try:
        journal.require_present()
    except JournalError as error:
        return error
    return None


def _describe_end(run: Run, parts: RunContext, tally: StatusCounts, error: BulkUpdateError | None) -> Run:
    """Return the run as it ends: finished, unless something stopped it or not all of its rows were asked for."""
    is_all_sent = not tally[Status.NOT_ATTEMPTED] and not awaits_read_back(run, parts.journal)
    is_finished = is_all_sent and error is None
    return replace(
        run,
        state=RunState.FINISHED if is_finished else RunState.STOPPED,
        stopped_by=str(error) if error else "" if is_finished else "only as many rows as asked for were sent",
        finished=format_utc(parts.clock.now()),
        calls=_count_calls(run, parts),
    )


def _write_results(ending: RunResult, journal: Journal) -> RunResult:
    try:
        results, to_fix = write_run_results(ending.run, journal, Path(ending.run.results_path))
    except BulkUpdateError as unwritable:
        return replace(ending, results_error=unwritable)
    return replace(ending, results=results, to_fix=to_fix)
