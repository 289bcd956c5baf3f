"""What comparing a file with the live customers found."""

from __future__ import annotations

from dataclasses import dataclass

from bulkupdate.customers.models import Change, Problem


@dataclass(frozen=True)
class LiveFindings:
    """What the live customers say about the rows of a file.

    `changes` is None if only the ids were looked up; `same` is the number of rows that have nothing new; `calls` is the
    requests that it cost.
    """

    changes: tuple[Change, ...] | None
    unknown: tuple[Problem, ...]
    same: int
    calls: int
