"""The progress bar on stderr while rows are sent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from tqdm import tqdm

from bulkupdate.cli.console import Console
from bulkupdate.clock import Clock, format_local_time
from bulkupdate.runs.estimate import expect_end
from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.runs.sending.phases import Phase, PhaseProgress
from bulkupdate.sellercloud.rate_limit import Quota, WaitState
from bulkupdate.text import pluralize


class Progress:
    """A bar on stderr (only on a terminal), and a line when sending waits for quota."""

    def __init__(self, console: Console, total: int, quota: Quota, clock: Clock, *, unit: str = "rows") -> None:
        self._console = console
        self._quota = quota
        self._total = total
        self._clock = clock
        self._started = self._estimated = clock.now()
        self._shown = ""
        self._phase: Phase | None = None
        self._has_phases = False
        self._first = self._requests = 0
        self._bar = tqdm(
            total=total,
            unit="row",
            file=sys.stderr,
            disable=console.quiet or not total or not sys.stderr.isatty(),
            dynamic_ncols=True,
            bar_format="{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} " + unit + "{postfix}",
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the terminal may be gone
            self._bar.close()

    def watch(self, _outcomes: Sequence[RowOutcome], waiting: WaitState | None) -> None:
        """Show what the run waits for; the rows are counted by `watch_phase`."""
        self.advance(0, waiting)

    def watch_phase(self, progress: PhaseProgress) -> None:
        """Show how far a phase of the run is. A run that only updates shows a bar without the phase's name."""
        if progress.phase is not self._phase:
            self._has_phases |= progress.phase is not Phase.UPDATE
            self._phase, self._total = progress.phase, progress.total
            self._started, self._first = self._clock.now(), progress.done
            if self._has_phases:
                self._set_phase(f"{progress.phase} ")
        with suppress(OSError):  # the terminal may be gone
            self._requests = progress.requests
            self._bar.total = progress.total
            self._bar.update(progress.done - self._bar.n)

    def _set_phase(self, text: str) -> None:
        with suppress(OSError):
            self._bar.set_description_str(text, refresh=False)

    def advance(self, count: int, waiting: WaitState | None) -> None:
        """Add `count` rows to those done; `waiting` is what is waited for, None while requests flow."""
        with suppress(OSError):  # the terminal may be gone
            self._bar.update(count)
        if waiting is not None:
            until = format_local_time(waiting.until, self._clock.now())
            self._show(f"waiting for quota until {until}", is_news=True)
        elif not self._bar.disable and self._bar.n > self._first and self._clock.now() - self._estimated > 1:
            self._estimated = self._clock.now()
            requests = f"{pluralize(self._requests, 'request')}, " if self._has_phases else ""
            self._show(f"{requests}ends about {self._estimate_end()}", is_news=False)

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
        now = self._clock.now()
        done = int(self._bar.n) - self._first
        end = expect_end(self._quota, now, self._total - int(self._bar.n), (now - self._started) / done)
        return format_local_time(end, now)
