"""What the functions share: the run context, reading of sources, the run key, and the run itself."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from bulkupdate.clock import Clock
from bulkupdate.errors import BusyError, ExitCode, UsageError
from bulkupdate.python_api.result_frames import Results, describe_result, describe_rows, describe_run
from bulkupdate.python_api.sources import SourceRows
from bulkupdate.runs.cancellation import Cancellation
from bulkupdate.runs.context import RunContext, open_context, require_same_host
from bulkupdate.runs.live.fetch import ignore_progress
from bulkupdate.runs.loading.input_file import CheckedInput
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matched_input import FoundCustomers
from bulkupdate.runs.matching.search import make_search
from bulkupdate.runs.previous_runs import require_not_overtaken
from bulkupdate.runs.reporting.check_summary import WrittenReports, report_check
from bulkupdate.runs.run_records import RowOutcome, Run, RunState
from bulkupdate.runs.sending.runner import execute_run
from bulkupdate.sellercloud.rate_limit import WaitState
from bulkupdate.settings import Settings
from bulkupdate.settings_sources import load_settings

USE_OVERWRITE = "If its values are the right ones, use overwrite_newer=True."

OnProgress = Callable[[int, int], None]
"""Called with the rows done so far and the rows to do, from the thread that called the function."""


@contextmanager
def open_session(settings: Settings | None, stop: threading.Event | None) -> Iterator[RunContext]:
    """Open what a call needs. `settings` None: those of the environment and file; `stop` None: it cannot be stopped."""
    with open_context(settings or load_settings({}), Clock(), stop or Cancellation()) as context:
        yield context


@contextmanager
def hold_run_key(run_key: str, context: RunContext) -> Iterator[None]:
    """Hold the lock of a run key. Raises `BusyError` if another call holds it."""
    if not run_key:
        yield
        return
    name = f"run-key-{hashlib.sha256(run_key.encode()).hexdigest()[:32]}"
    with context.journal.home.hold_lock(name, 0) as is_held:
        if not is_held:
            raise BusyError(f"Another call with the run key {run_key!r} is running.", remedy="Wait until it has ended.")
        yield


def find_begun(run_key: str, rows: SourceRows, context: RunContext) -> Run | None:
    """Return the run with this key, None if there is none yet. Raises `UsageError` if it has other rows."""
    begun = next((run for run in context.journal.runs() if run.options.run_key == run_key), None)
    if begun is not None and begun.sha256 != rows.hash():
        raise UsageError(
            f"The run key {run_key!r} belongs to run {begun.id}, which has sent other rows.",
            remedy="Give each set of rows a key of its own.",
        )
    return begun


def load_rows(rows: SourceRows, context: RunContext) -> CheckedInput:
    """Read and check the rows, and search their customers if the options or a recipe say so."""
    return rows.load(context.settings, partial(find_customers, context))


def find_customers(context: RunContext, key: Key, keys: Sequence[str]) -> FoundCustomers:
    """Find customers by a search of the service."""
    if not keys:
        return FoundCustomers({})
    search = make_search(context, key, keys)
    search.begin()
    return FoundCustomers(search.run(ignore_progress), tuple(search.notes), context.client.calls)


def describe_check(checked_input: CheckedInput, exit_code: ExitCode | None = None) -> Results:
    """Return rows that were checked and not sent. `exit_code` None: 0, or 1 if a row is invalid."""
    well = ExitCode.INCOMPLETE if checked_input.invalid else ExitCode.DONE
    return describe_rows(report_check(checked_input, exit_code or well, WrittenReports(), None), checked_input.rows())


def continue_run(
    begun: Run, context: RunContext, on_progress: OnProgress | None, overwrite_newer: bool = False
) -> Results:
    """Continue a run, or return it as it is if it is finished. Raises as `resume` does."""
    if begun.state is RunState.FINISHED:
        return describe_run(begun, context)
    require_same_host(begun, context.host)
    if not overwrite_newer:
        require_not_overtaken(context.journal, begun, remedy=USE_OVERWRITE)
    return execute(begun, context, on_progress)


def execute(begun: Run, context: RunContext, on_progress: OnProgress | None, limit: int | None = None) -> Results:
    """Execute a run. `limit` is the maximum number of rows to send, None for all."""
    total = context.journal.count_pending(begun) if on_progress else 0
    total, done = min(total, limit or total), 0

    def watch(outcomes: Sequence[RowOutcome], _waiting: WaitState | None) -> None:
        nonlocal done
        done += len(outcomes)
        if on_progress and outcomes:
            on_progress(done, total)

    return describe_result(execute_run(begun, context, watch, limit), context)
