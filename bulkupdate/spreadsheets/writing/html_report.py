"""The check report as one page: nothing beside it is needed to read, print or send it on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from bulkupdate.customers.models import Change, Problem
from bulkupdate.customers.problem_summary import count_by_column, group_problems
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.summary_sheet import SummaryRow

_Item = TypeVar("_Item")

_MOST_BARS = 24
_MOST_GROUPS = 200
_MOST_ROWS = 500
_LONGEST_TEXT = 2_000


def write_html_report(
    path: Path,
    *,
    title: str,
    problems: Sequence[Problem],
    previews: Iterable[tuple[int, str, str]],
    changes: Iterable[Change] | None,
    summary: Sequence[SummaryRow],
) -> None:
    """Write the report to `path` as one HTML page without script and without anything loaded from elsewhere.

    Takes what `write_check_report` takes; `title` is the name of the checked file. Long lists are cut, and the page
    says how much is left out, so that it opens quickly whatever the file. Raises `UsageError` if it cannot be written.
    """
    environment = Environment(
        loader=PackageLoader("bulkupdate.spreadsheets.writing", ""), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["visible"] = _show
    bars = count_by_column(problems)
    groups = group_problems(problems)
    page = environment.get_template("check_report.html").render(
        title=title,
        summary=[(*row, "")[:3] for row in summary],
        bars=bars[:_MOST_BARS],
        bars_left=len(bars[_MOST_BARS:]),
        longest=max((errors + warnings for _, errors, warnings in bars), default=1),
        groups=groups[:_MOST_GROUPS],
        groups_left=len(groups[_MOST_GROUPS:]),
        problems=problems[:_MOST_ROWS],
        problems_left=len(problems[_MOST_ROWS:]),
        previews=_cut(previews),
        changes=None if changes is None else _cut(changes),
    )
    with replace_file(path) as stream:
        stream.write(page.encode("utf-8", "replace"))


def _cut(items: Iterable[_Item]) -> tuple[list[_Item], int]:
    """Return the first items, and how many more there are."""
    iterator = iter(items)
    return list(islice(iterator, _MOST_ROWS)), sum(1 for _ in iterator)


def _show(text: object) -> str:
    shown = make_visible(str(text))
    return shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}… [shortened: {len(shown):,} characters]"
