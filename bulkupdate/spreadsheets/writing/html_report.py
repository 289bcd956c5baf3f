"""The check report as one self-contained page, to read, print or send on."""

from __future__ import annotations

from collections import Counter
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
_MOST_CHANGES = 20_000
"""More than of other lists: each field has its own, which is laid out only when it is opened."""

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
    """Write the report to `path` as one HTML page without scripts or external resources.

    Takes what `write_check_report` takes; `title` is the name of the checked file. Long lists are cut, and the page
    says how much is left out, so that it always opens quickly. Raises `UsageError` if it cannot be written.
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
        changes=None if changes is None else _group_changes(changes),
    )
    with replace_file(path) as stream:
        stream.write(page.encode("utf-8", "replace"))


def _cut(items: Iterable[_Item]) -> tuple[list[_Item], int]:
    """Return the first items, and how many more there are."""
    iterator = iter(items)
    return list(islice(iterator, _MOST_ROWS)), sum(1 for _ in iterator)


def _group_changes(changes: Iterable[Change]) -> tuple[list[tuple[str, int, list[Change]]], int]:
    """Return field, number and changes of each field, and how many changes are left out."""
    found: dict[str, list[Change]] = {}
    counts = Counter[str]()
    for number, change in enumerate(changes):
        counts[change.field] += 1
        if number < _MOST_CHANGES:
            found.setdefault(change.field, []).append(change)
    total = sum(counts.values())
    fields = [(field, count, found.get(field, [])) for field, count in counts.most_common()]
    return fields, max(0, total - _MOST_CHANGES)


def _show(text: object) -> str:
    shown = make_visible(str(text))
    return shown if len(shown) <= _LONGEST_TEXT else f"{shown[:_LONGEST_TEXT]}… [shortened: {len(shown):,} characters]"
