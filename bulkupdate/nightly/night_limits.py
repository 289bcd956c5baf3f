"""The limits of a night, in which no user looks at a bad file before it is sent; ordinary files do not reach them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import PurePath
from statistics import median

from bulkupdate.change_limit import ChangeLimit
from bulkupdate.customers.models import CheckedRow
from bulkupdate.runs.guards import Excess, count_changes, find_excess
from bulkupdate.runs.journal import Journal
from bulkupdate.settings import Settings
from bulkupdate.text import pluralize

SMALL_FILE_ROWS = 50
"""Smaller files are only subject to limits that were set."""
MAX_CLEARS = ChangeLimit("20%")
"""How many customers of a larger file may have a field cleared if no limit was set."""
_NAMESAKES = 10
_FEWEST_NAMESAKES = 3
"""Fewer earlier files say little about the usual size."""


def find_night_excess(rows: Iterable[CheckedRow], name: str, journal: Journal, settings: Settings) -> Excess | None:
    """Return by what a file, by its original name, exceeds a limit; None if it may be sent. Raises `JournalError`."""
    changes = count_changes(rows)
    is_small = changes.rows < SMALL_FILE_ROWS
    max_clears = settings.max_clears or (ChangeLimit("") if is_small else MAX_CLEARS)
    excess = find_excess(changes, settings.max_changes, max_clears)
    growth = None if is_small else _describe_growth(changes.rows, name, journal, settings.nightly_max_growth)
    if growth is None:
        return excess
    return Excess(growth) if excess is None else replace(excess, message=f"{growth} {excess.message}")


def _describe_growth(rows: int, name: str, journal: Journal, max_growth: float) -> str | None:
    if not max_growth:
        return None
    earlier = list(islice(_count_namesakes(name, journal), _NAMESAKES))
    if len(earlier) < _FEWEST_NAMESAKES or rows < max_growth * median(earlier):
        return None
    return (
        f"The file has {pluralize(rows, 'row')}; the last {len(earlier)} of that name had a median of "
        f"{median(earlier):,.0f}, and the limit is {max_growth:g} times that."
    )


def _count_namesakes(name: str, journal: Journal) -> Iterable[int]:
    """Yield the rows of the files of this name that were sent, newest first."""
    for head in journal.run_heads():
        if _name_series(PurePath(head.file).name.removeprefix(f"{head.id}-")) == _name_series(name):
            run = journal.find_run(head.id)
            if run.parent is None:  # a retry has some rows of a file
                yield run.rows


def _name_series(name: str) -> str:
    """Return a name without its date or number, by which files of a series are recognised."""
    return re.sub(r"[0-9]+", "#", name.casefold())
