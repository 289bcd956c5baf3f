"""What people and programs get to see: sentences and the progress bar on stderr, one JSON object on stdout."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

import click

from bulkupdate.clock import Clock, format_local_time
from bulkupdate.errors import BulkUpdateError, ExitCode

if TYPE_CHECKING:
    from bulkupdate.customers.records import Problem
    from bulkupdate.runs.records import Outcome
    from bulkupdate.service.quota import Quota, Waiting

_GROUPS_SHOWN = 20


class Console:
    """Speaks to people unless it is to be quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet

    def say(self, text: str = "") -> None:
        """A line for people."""
        if not self.quiet:
            click.echo(text, err=True)

    def complain(self, error: BulkUpdateError) -> None:
        """An error, which is said even when quiet."""
        click.echo(f"Error: {error}", err=True)
        if error.remedy:
            click.echo(f"       {error.remedy}", err=True)

    def show_problems(self, problems: Sequence[Problem]) -> None:
        """Problems grouped, so that 312 alike take one line."""
        from bulkupdate.customers.problem_groups import group_problems

        groups = group_problems(problems)
        for group in groups[:_GROUPS_SHOWN]:
            place = f"{group.column}: " if group.column else ""
            self.say(f"  {group.severity.value}  {place}{group.title} ({group.where})")
            self.say(f"         {group.remedy}")
        if len(groups) > _GROUPS_SHOWN:
            self.say(f"  … and {len(groups) - _GROUPS_SHOWN} more kinds of problems")

    def ask(self, question: str, *, yes: bool) -> bool:
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
        self._bar.close()

    def watch(self, outcomes: Sequence[Outcome], waiting: Waiting | None) -> None:
        """Called by the run as it goes on."""
        self.advance(len(outcomes), waiting)

    def advance(self, count: int, waiting: Waiting | None) -> None:
        """So many rows more are done; what is waited for, None while requests flow."""
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
            self._bar.set_postfix_str(text)
        elif is_news:
            self._console.say(text)

    def _estimate_end(self) -> str:
        from bulkupdate.runs.plan import estimate_end

        now = self._clock.now()
        end = estimate_end(self._quota, now, self._total - int(self._bar.n), (now - self._started) / self._bar.n)
        return format_local_time(end, now)


@contextmanager
def stop_on_signals(stop: threading.Event, console: Console) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop`: what is in flight is still recorded. The second one ends the process at once.

    Ending at once is safe: the journal is committed before each request, and SQLite keeps it whole.
    """

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(ExitCode.INTERRUPTED)
        stop.set()
        if not console.quiet:  # written past Python's own stream, which may be in the middle of a line
            os.write(2, b"\nStopping: what is in flight is still recorded. (Once more stops at once.)\n")

    handled = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, handle) for number in handled]
    try:
        yield
    finally:
        for number, handler in zip(handled, before, strict=True):
            signal.signal(number, handler)
