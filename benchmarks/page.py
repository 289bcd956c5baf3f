"""The page `docs/performance.md` and its picture, from the figures of all programs."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from textwrap import shorten

import matplotlib as mpl

from benchmarks.figures import Figure, Points
from benchmarks.rounds import add_round, read_rounds

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

TRIED = Path(__file__).with_name("tried.md")
PICTURE = Path("pictures") / "performance.png"
VERDICTS = {True: "yes", False: "**no**", None: ""}

_INTRO = """\
# Performance

`make bench` writes this page ({program_count} programs, {minutes:.0f} minutes) and overwrites manual edits.
Goals keep the same numbers in every round. Goal 15 covers how time and memory grow, goal 21 one customer's history.

**Machine:** {cores} cores, {memory:.0f} GiB, {system}, Python {python}; pandas {pandas}, python-calamine {calamine},
requests {requests}, XlsxWriter {xlsxwriter}. {day}.

**How it is measured.** This tool and what it is compared with run in turn in one program, within seconds of each other,
a different one first each time. Figures are medians of {repeats} or more measurements (with the least and the most),
unless they say that they were measured once, or count requests. A ratio holds on another machine too; seconds do not.
Sheets have the 24 columns of the table, 40 % of the cells blank. The service is the sandbox, which counts the requests,
or, if time counts, a compiled server with a set delay (`benchmarks/delayed_server.c`) that needs next to no processor
time. A whole command is timed as a process of its own, from its start to its end.
"""


def write_page(
    docs: Path,
    figures: Sequence[Figure],
    failures: Sequence[tuple[str, str]],
    *,
    repeats: int,
    program_count: int,
    minutes: float,
    rounds: Path,
) -> None:
    """Write the page and the picture into `docs`, and add the figures to `rounds`.

    `failures` are the programs that could not measure anything, and why.
    """
    today = date.today()
    earlier = read_rounds(rounds, today)
    draw(docs / PICTURE, figures)
    parts = [
        _INTRO.format(
            program_count=program_count, minutes=minutes, cores=os.cpu_count(),
            memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
            system=f"{platform.system()} {platform.machine()}", python=platform.python_version(),
            pandas=version("pandas"), calamine=version("python-calamine"), requests=version("requests"),
            xlsxwriter=version("XlsxWriter"), day=today, repeats=repeats,
        ),
        _say_how_many_hold(figures),
        f"![Shares of the bounds, and how time, memory and requests grow]({PICTURE.as_posix()})\n",
        "## Every goal\n\n" + _table(figures, earlier),
        "## What it is compared with\n\n" + "\n".join(_line(each) for each in figures if each.beside) + "\n",
        _list_what_fails(figures, failures),
        TRIED.read_text(encoding="utf-8"),
    ]  # fmt: skip
    (docs / "performance.md").write_text("\n".join(parts), encoding="utf-8")
    add_round(rounds, figures, today)


def _say_how_many_hold(figures: Sequence[Figure]) -> str:
    judged = [each for each in figures if each.holds is not None]
    goals = sorted({each.goal for each in judged})
    missed = sorted({each.goal for each in judged if not each.holds})
    named = f": {', '.join(map(str, missed))} {'does' if len(missed) == 1 else 'do'} not" if missed else ""
    return f"**{len(goals) - len(missed)} of {len(goals)} goals hold**{named}.\n"


def _table(figures: Sequence[Figure], earlier: Mapping[str, str]) -> str:
    lines = ["| # | what | goal | measured | in earlier rounds | holds |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {each.goal} | {each.what} | {each.wanted} | {each.measured} | {earlier.get(each.what, '')} "
        f"| {VERDICTS[each.holds]} |"
        for each in figures
    ]
    return "\n".join(lines) + "\n"


def _line(figure: Figure) -> str:
    return f"- **{figure.goal}**, {figure.what}: {figure.beside}."


def _list_what_fails(figures: Sequence[Figure], failures: Sequence[tuple[str, str]]) -> str:
    lines = [
        f"- **{each.goal}**, {each.what}: {each.measured} instead of {each.wanted}. {each.limit}"
        for each in figures
        if each.holds is False
    ]
    lines += [f"- `{name}` could not be measured: {reason}" for name, reason in failures]
    return "## What does not hold, and what limits it\n\n" + "\n".join(lines or ["Nothing."]) + "\n"


def draw(path: Path, figures: Sequence[Figure]) -> None:
    """Five pictures in one: the bounds, time by rows, memory by rows and by rows sent, requests by windows."""
    series = {name: points for each in figures for name, points in each.series.items()}
    drawing, axes = plt.subplot_mosaic(
        [["bounds", "time", "memory"], ["bounds", "sent", "quota"]], figsize=(17, 9), layout="constrained"
    )
    _draw_bounds(axes["bounds"], figures)
    for name, title, unit, prefix, across in (
        ("time", "Time of check with report", "seconds", "time of ", "rows of the sheet"),
        ("memory", "Peak memory of check with report", "MiB", "memory of ", "rows of the sheet"),
        ("sent", "Memory of a run while it sends", "MiB", "sending ", "rows sent"),
        ("quota", "Requests sent, the hour scaled to seconds", "quotas of a window", "quota of ", "windows passed"),
    ):
        lines = {each.removeprefix(prefix): points for each, points in series.items() if each.startswith(prefix)}
        _draw_lines(axes[name], title, unit, across, lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(path, dpi=70)
    plt.close(drawing)


def _draw_bounds(axes: Axes, figures: Sequence[Figure]) -> None:
    shares = [(each, share) for each in figures if (share := each.share_of_bound) is not None][::-1]
    names = [f"{each.goal}  {shorten(each.what, 60, placeholder='…')}" for each, _ in shares]
    colours = ["#2e7d5b" if each.holds else "#b3392f" for each, _ in shares]
    axes.barh(range(len(shares)), [max(0, min(share, 2)) for _, share in shares], color=colours)
    axes.set_yticks(range(len(shares)), names, fontsize=7)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_title("Share of what the goal allows (left of the line: holds)")


def _draw_lines(axes: Axes, title: str, unit: str, across: str, lines: Mapping[str, Points]) -> None:
    for name, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o" if len(points) < 10 else None, label=name)
    axes.set_title(title)
    axes.set_xlabel(across)
    axes.set_ylabel(unit)
    axes.set_ylim(0, 1.15 * max((value for points in lines.values() for _, value in points), default=1))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(lambda value, _at: f"{value:,.10g}")
    axes.grid(alpha=0.3)
    if lines:
        axes.legend()
