"""What a program finds out: figures with their bounds, as medians of interleaved measurements."""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

Points = list[tuple[float, float]]


@dataclass(frozen=True)
class Size:
    """How much is measured. `repeats` is how often; rows are those of a sheet, or of a run."""

    repeats: int = 3
    sheet_rows: int = 100_000
    huge_sheet_rows: int = 1_000_000
    nightly_rows: int = 100_000
    burst_rows: int = 1_000
    sent_rows: int = 4_000
    slow_sent_rows: int = 800
    window_seconds: float = 10.0
    windows: int = 3
    starts: int = 7
    searched_customers: int = 100_000


FULL = Size()
QUICK = Size(
    repeats=1,
    sheet_rows=200,
    huge_sheet_rows=600,
    nightly_rows=300,
    burst_rows=16,
    sent_rows=60,
    slow_sent_rows=16,
    window_seconds=0.5,
    windows=2,
    starts=1,
    searched_customers=2_000,
)


@dataclass(frozen=True)
class Figure:
    """One figure of a goal. It holds where `value` is at most `most`, or at least `least`; both None: for information.

    `beside` says what it was compared with and what that reached; `limit` what limits it, for when it does not hold;
    `series` are lines for the picture, by name.
    """

    goal: int
    what: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None
    beside: str = ""
    limit: str = ""
    series: Mapping[str, Points] = field(default_factory=dict)

    @property
    def holds(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.most is not None:
            return self.value <= self.most
        return None if self.least is None else self.value >= self.least

    @property
    def share_of_bound(self) -> float | None:
        """How much of what is allowed was used: 1 is just held, less is better; None without a bound."""
        if self.most is not None:
            return self.value / self.most if self.most else float(self.value > 0) * 2
        return None if self.least is None else self.least / self.value

    @property
    def wanted(self) -> str:
        """The bound, for readers."""
        if self.most is not None:
            return f"≤ {format_number(self.most)}{self.unit}"
        return "" if self.least is None else f"≥ {format_number(self.least)}{self.unit}"

    @property
    def measured(self) -> str:
        """The value, for readers; with more figures where it misses its bound by less than the usual ones show."""
        text, bound = format_number(self.value), self.least if self.most is None else self.most
        is_hidden = self.holds is False and bound is not None and text == format_number(bound)
        return f"{self.value:.5g}{self.unit}" if is_hidden else f"{text}{self.unit}"


def format_number(value: float) -> str:
    """Three figures that count, and no more: 0.953, 27.2, 1,001."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


@dataclass(frozen=True)
class Medians:
    """What was measured, by contender."""

    values: Mapping[str, list[float]]

    def __getitem__(self, name: str) -> float:
        return median(self.values[name])

    def say(self, name: str, unit: str = " s") -> str:
        """The median with the least and the most, for readers."""
        values = self.values[name]
        text = f"{format_number(median(values))}{unit}"
        return text if len(values) == 1 else f"{text} ({format_number(min(values))} to {format_number(max(values))})"


def interleave(repeats: int, contenders: Mapping[str, Callable[[], float]]) -> Medians:
    """Measure each contender in turn, so many times, beginning with another one each time: what disturbs the machine
    meets all of them. A contender returns what it measured."""
    names = list(contenders)
    values: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repeats):
        for place in range(len(names)):
            name = names[(place + turn) % len(names)]
            gc.collect()
            os.sync()  # what the one before wrote would be written while this one commits
            values[name].append(contenders[name]())
            print(f"  {name}: {format_number(values[name][-1])}", file=sys.stderr)
    return Medians(values)


def seconds_of(work: Callable[[], object]) -> float:
    """How long it takes. What it makes is let go within the time, as in a real run."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


Measure = Callable[[Size, Path], list[Figure]]


def run_program(measure: Measure) -> None:
    """The main part of each program: figures for readers on stderr, as JSON on stdout."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: shows that it works, measures nothing")
    parser.add_argument("--folder", type=Path, help="where made sheets are kept and found again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as temporary:
        figures = measure(QUICK if given.quick else FULL, given.folder or Path(temporary))
    for each in figures:
        verdict = {True: "holds", False: "DOES NOT HOLD", None: "for information"}[each.holds]
        print(f"goal {each.goal}: {each.what}: {each.measured} {each.wanted} {verdict}. {each.beside}", file=sys.stderr)
    print(json.dumps([asdict(each) for each in figures]))
