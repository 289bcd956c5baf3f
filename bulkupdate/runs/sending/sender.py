"""Send the rows of a run, a limited number at once: intents are recorded before, outcomes after.

Only the thread that calls `send` writes to the journal, so that one commit has the outcomes that arrived and the
intents of the rows sent next. At most `concurrency` rows are in flight, so at most that many are sent twice after a
kill.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from queue import Empty, SimpleQueue

from bulkupdate.clock import Clock, format_utc
from bulkupdate.customers.models import Status
from bulkupdate.errors import InterruptedRunError, JournalError, ServiceDownError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal.row_table import NOT_YET_READ_BACK
from bulkupdate.runs.run_records import PendingRow, RowOutcome, Run
from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.rate_limit import WaitState
from bulkupdate.sellercloud.update_result import AttemptsEnded, UpdateResult

POLL_SECONDS = 0.25
"""How often a waiting loop checks `stop` and reports what it waits for."""
MIN_POLL_SECONDS = 0.005

Watch = Callable[[Sequence[RowOutcome], WaitState | None], None]
"""Called with the outcomes just recorded, perhaps none, and with what is waited for (None: nothing)."""


@dataclass(frozen=True)
class _Sent:
    """A row in flight; `failures_before` is how many had failed when it was sent."""

    row: PendingRow
    failures_before: int


@dataclass
class Batch:
    """Sends rows once. With `verify` a row answered 200 stays `unknown` until it has been read back."""

    run: Run
    journal: Journal
    client: Client
    clock: Clock
    stop: threading.Event
    concurrency: int
    max_failures: int
    verify: bool
    watch: Watch
    _upcoming: list[PendingRow] = field(default_factory=list, init=False)
    _in_flight: dict[Future[UpdateResult], _Sent] = field(default_factory=dict, init=False)
    _ended: SimpleQueue[Future[UpdateResult]] = field(default_factory=SimpleQueue, init=False)
    _failures: int = field(default=0, init=False)
    _failures_reset: int = field(default=0, init=False)
    _has_answered: bool = field(default=False, init=False)
    _is_down: bool = field(default=False, init=False)
    _is_any_beyond: bool = field(default=False, init=False)
    _error: BaseException | None = field(default=None, init=False)
    _waiting: WaitState | None = field(default=None, init=False)

    def send(self, rows: Iterator[PendingRow]) -> None:
        """Send these rows, until all have their outcome or the run must stop.

        Raises `InterruptedRunError` if `stop` was set with rows left, `ServiceDownError` after `max_failures`
        consecutive rows failed, the client's own `StoppedError`, and `JournalError`, after which no further row is
        sent. In any case, no request is in flight any more, and every outcome that could be recorded is recorded.
        """
        finished: list[RowOutcome] = []
        with ThreadPoolExecutor(self.concurrency, thread_name_prefix="sender") as pool:
            try:
                while self._fill(rows) or self._in_flight or finished:
                    starting = self._take()
                    if starting or finished:
                        self.journal.record(self.run, outcomes=finished, intents=starting, calls=self._count_requests())
                    for row in starting:
                        sent = pool.submit(
                            self.client.update_customer, row.customer_id, row.body, may_be_applied=row.may_be_applied
                        )
                        self._in_flight[sent] = _Sent(row, self._failures)
                        sent.add_done_callback(self._ended.put)
                    self.watch(finished, self.client.quota.waiting or self._waiting)
                    finished = self._collect()
            except BaseException:
                self.stop.set()
                self._save(finished)
                raise
        self._raise_reason()

    def _save(self, finished: Sequence[RowOutcome]) -> None:
        """Wait for the requests in flight, and record what can be recorded; the rest stays `unknown`."""
        wait(self._in_flight)
        rest = self._conclude_all(list(self._in_flight))
        with suppress(JournalError):
            self.journal.record(self.run, outcomes=[*finished, *rest], calls=self._count_requests())

    def _fill(self, rows: Iterator[PendingRow]) -> bool:
        """Read ahead, to know whether a row is left; return whether one may still be sent.

        A run that is ending reads no more rows: with --snapshot, reading would only raise that the run was stopped, and
        hide the reason.
        """
        if self._is_ending():
            return False
        self._upcoming += islice(rows, self.concurrency - len(self._upcoming))
        return bool(self._upcoming)

    def _is_ending(self) -> bool:
        return self.stop.is_set() or self._error is not None or self._is_down

    def _take(self) -> list[PendingRow]:
        """Return the rows that may be sent now.

        Until the service has given a real answer, one row is sent at a time, so that not all workers send to a service
        that only throttles or is down. Once rows fail, only as many are sent as may still fail, so that the run stops
        with exactly `max_failures`.
        """
        most = self.concurrency if self._has_answered else 1
        if self._consecutive_failures:
            most = min(most, self.max_failures - self._consecutive_failures)
        count = most - len(self._in_flight)
        if count <= 0 or self._is_ending() or not self._upcoming:
            return []
        count = min(count, self._count_startable(count))
        starting, self._upcoming = self._upcoming[:count], self._upcoming[count:]
        return starting

    def _count_startable(self, most: int) -> int:
        """Return how many requests the quota allows now: rows wait for it before their intents are recorded."""
        capacity = self.client.quota.capacity(most)
        if capacity.free_at <= self.clock.now():
            self._waiting = None
            return most if capacity.free is None else capacity.free
        self._waiting = WaitState(capacity.free_at, throttled=False)
        return 0

    def _collect(self) -> list[RowOutcome]:
        """Return the outcomes that have arrived; wait briefly for the first, or for the quota."""
        seconds = POLL_SECONDS
        if self._waiting is not None:
            seconds = min(seconds, max(self._waiting.until - self.clock.now(), MIN_POLL_SECONDS))
        ended: list[Future[UpdateResult]] = []
        if self._in_flight:
            with suppress(Empty):
                ended.append(self._ended.get(timeout=seconds))
                while True:
                    ended.append(self._ended.get_nowait())
        elif self._upcoming:
            self.clock.wait(seconds, self.stop)
        return self._conclude_all(ended)

    def _conclude_all(self, ended: Iterable[Future[UpdateResult]]) -> list[RowOutcome]:
        now = format_utc(self.client.pipeline.service_time(self.clock.now()))
        outcomes = (self._conclude(self._in_flight.pop(future), future, now) for future in ended)
        return [outcome for outcome in outcomes if outcome is not None]

    def _conclude(self, sent: _Sent, done: Future[UpdateResult], now: str) -> RowOutcome | None:
        """Return a row's outcome; None if a bug leaves its intent as it is."""
        row = sent.row
        if (error := done.exception()) is not None:
            self._end_with(error)
            return None
        answer = done.result()
        if answer.stop is not None:
            self._end_with(answer.stop)
        status, message = answer.status, answer.message
        if status is Status.FAILED and self._is_down:  # in flight when the limit was reached
            status, self._is_any_beyond = Status.NOT_ATTEMPTED, True
            if answer.may_be_applied:
                status, message = Status.UNKNOWN, f"{message}; it may or may not have been applied"
        self._count(answer, sent)
        if self.verify and status is Status.UPDATED:
            status, message = Status.UNKNOWN, NOT_YET_READ_BACK
        finished_at = "" if status is Status.NOT_ATTEMPTED else now
        attempts = row.attempts + answer.attempts
        return RowOutcome(
            row.number, status, answer.http_status, attempts, message, finished_at, may_be_applied=answer.may_be_applied
        )

    def _end_with(self, error: BaseException) -> None:
        self._error = self._error or error
        self.stop.set()

    @property
    def _consecutive_failures(self) -> int:
        return self._failures - self._failures_reset

    def _count(self, answer: UpdateResult, sent: _Sent) -> None:
        """Count a failure; only the success of a row sent after it resets the count.

        Rows in flight at the same time prove nothing: a failing service answers 503 at once, while rows that it
        accepted before are still being answered.
        """
        if answer.ended is AttemptsEnded.USED_UP:
            self._failures += 1
            if self._consecutive_failures == self.max_failures:
                self._is_down = True
                if self._upcoming:
                    self.stop.set()  # requests in flight need not use up their attempts
        elif answer.ended is AttemptsEnded.ANSWERED:
            self._failures_reset = max(self._failures_reset, sent.failures_before)
            self._has_answered = True

    def _count_requests(self) -> int:
        return self.run.calls + self.client.calls

    def _raise_reason(self) -> None:
        if self._error is not None:
            raise self._error
        tally = self.journal.tally(self.run)
        is_row_left = bool(self._upcoming or self._is_any_beyond or tally[Status.NOT_ATTEMPTED])
        if self._is_down and is_row_left:
            raise ServiceDownError(
                f"{self.max_failures} consecutive rows failed: the service seems to be down.",
                remedy="Continue with `bulkupdate resume` when it is back.",
            )
        if self.stop.is_set() and (is_row_left or tally[Status.UNKNOWN]):
            raise InterruptedRunError("The run was stopped. All requests already sent are recorded.")
