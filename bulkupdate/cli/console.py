"""What people and programs get to see: sentences and the progress bar on stderr, one JSON object on stdout."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import click

from bulkupdate.clock import Clock, format_local_time
from bulkupdate.errors import BulkUpdateError, ExitCode

if TYPE_CHECKING:
    from bulkupdate.customers.models import Problem
    from bulkupdate.runs.run_records import RowOutcome
    from bulkupdate.sellercloud.rate_limit import Quota, WaitState

_GROUPS_SHOWN = 20


class Console:
    """Speaks to people unless it is to be quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    def info(self, text: str = "") -> None:
        """Show a line to people."""
        if not self.quiet:
            _tell(text)

    def error(self, error: BulkUpdateError) -> None:
        """Show an error, also when quiet."""
        _tell(f"Error: {error}")
        if error.remedy:
            _tell(f"       {error.remedy}")

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Problems grouped, so that 312 alike take one line."""
        from bulkupdate.customers.problem_summary import group_problems

        groups = group_problems(problems)
        for group in groups[:_GROUPS_SHOWN]:
            place = f"{group.column}: " if group.column else ""
            self.info(f"  {group.severity.value}  {place}{group.title} ({group.where})")
            self.info(f"         {group.remedy}")
        if len(groups) > _GROUPS_SHOWN:
            self.info(f"  … and {len(groups) - _GROUPS_SHOWN} more kinds of problems")

    def confirm(self, question: str, *, yes: bool) -> bool:
        """Whether a person agrees; `yes` has agreed beforehand. Without a terminal there is nobody to ask."""
        from bulkupdate.errors import UsageError

        if yes:
            return True
        if not sys.stdin.isatty():
            raise UsageError(
                "There is no terminal to ask on, and --yes was not given: nothing was sent.",
                remedy="Add --yes to send without being asked.",
            )
        return click.confirm(question, err=True)


def _tell(text: str) -> None:
    """Write a line to stderr. If its reader is gone (a closed pipe or terminal), the work goes on all the same."""
    with suppress(OSError):
        click.echo(text, err=True)


def print_json(fields: Mapping[str, Any] | Sequence[Any]) -> None:
    """One object on stdout, for programs."""
    click.echo(json.dumps(fields, ensure_ascii=False, allow_nan=False))


class Progress:
    """A bar on stderr while rows go out (only on a terminal), and a line when all wait for quota."""

    def __init__(self, console: Console, total: int, quota: Quota, clock: Clock) -> None:
        from tqdm import tqdm

        self._console = console
        self._quota = quota
        self._total = total
        self._clock = clock
        self._started = self._estimated = clock.now()
        self._shown = ""
        self._bar = tqdm(
            total=total,
            unit="row",
            file=sys.stderr,
            disable=console.quiet or not sys.stderr.isatty(),
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} rows{postfix}",
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._bar.close()

    def watch(self, outcomes: Sequence[RowOutcome], waiting: WaitState | None) -> None:
        """Show how far the run has come; the run calls this as it goes on."""
        self.advance(len(outcomes), waiting)

    def advance(self, count: int, waiting: WaitState | None) -> None:
        """So many rows more are done; what is waited for, None while requests flow."""
        with suppress(OSError):  # the terminal may be gone
            self._bar.update(count)
        if waiting is not None:
            until = format_local_time(waiting.until, self._clock.now())
            self._show(f"waiting for quota until {until}", is_news=True)
        elif not self._bar.disable and self._bar.n and self._clock.now() - self._estimated > 1:
            self._estimated = self._clock.now()
            self._show(f"ends about {self._estimate_end()}", is_news=False)

    def _show(self, text: str, *, is_news: bool) -> None:
        if text == self._shown:
            return
        self._shown = text
        if not self._bar.disable:
            with suppress(OSError):
                self._bar.set_postfix_str(text)
        elif is_news:
            self._console.info(text)

    def _estimate_end(self) -> str:
        from bulkupdate.runs.estimate import estimate_end

        now = self._clock.now()
        end = estimate_end(self._quota, now, self._total - int(self._bar.n), (now - self._started) / self._bar.n)
        return format_local_time(end, now)


@contextmanager
def stop_on_signals(stop: threading.Event, console: Console) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`: what is in flight is still recorded. The second one ends the process at once.

    So does a terminal that is closed (SIGHUP), unless the call was made to outlive it (`nohup`). RunResult at once is
    safe: the journal is committed before each request, and SQLite keeps it whole.
    """
    asked = threading.Event()  # `stop` may be set by the run itself

    def handle(_number: int, _frame: FrameType | None) -> None:
        if asked.is_set():
            os._exit(ExitCode.INTERRUPTED)
        asked.set()
        stop.set()
        if not console.quiet:  # written past Python's own stream, which may be in the middle of a line
            with suppress(OSError):
                os.write(2, b"\nStopping: what is in flight is still recorded. (Once more stops at once.)\n")

    before = {number: signal.signal(number, handle) for number in _list_handled()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _list_handled() -> Iterator[int]:
    yield from (signal.SIGINT, signal.SIGTERM)
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) is not signal.SIG_IGN:
        yield hang_up
