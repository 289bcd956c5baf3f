"""Group repeated problems: "312 rows: the cell holds nothing but blanks"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bulkupdate.customers.models import Problem, Severity
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.text import pluralize

_FIRST_ROWS = 5

_OF_THE_FILE = (ProblemCode.OPEN_FILE, ProblemCode.GUESSED_ENCODING)


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """Problems of one kind in one column.

    `message` and `remedy` are those of the first of them; `is_uniform`: all of them have this message. `count` is the
    number of problems, `first_rows` the rows of the first few, as Excel numbers them.
    """

    code: str
    severity: Severity
    column: str
    message: str
    remedy: str
    is_uniform: bool
    count: int
    first_rows: tuple[int, ...]

    @property
    def title(self) -> str:
        """How many rows, and what is wrong; if the messages differ, the first one as an example."""
        if self.code in _OF_THE_FILE:
            return self.message
        return f"{pluralize(self.count, 'row')}: {'' if self.is_uniform else 'for example, '}{self.message}"

    @property
    def where(self) -> str:
        """The rows in words: `row 5`, `rows 5, 9 and 12`, `rows 5, 9, 12, 13, 20 and 307 more`."""
        return "the whole file" if self.code in _OF_THE_FILE else name_rows(self.first_rows, self.count)


def group_problems(problems: Iterable[Problem]) -> list[ProblemGroup]:
    """Return the problems by kind and column: errors before warnings, then the most frequent first."""
    found: dict[tuple[Severity, str, str], list[Problem]] = {}
    for problem in problems:
        found.setdefault((problem.severity, problem.code, problem.column), []).append(problem)
    groups = [_make_group(alike) for alike in found.values()]
    return sorted(groups, key=lambda group: (group.severity is Severity.WARNING, -group.count, group.first_rows))


def name_rows(first_rows: Sequence[int], count: int) -> str:
    """Return `count` rows in words, if these are the first: `row 5`, `rows 5, 9 and 12`, `rows 5, 9 and 307 more`."""
    shown = [str(row) for row in first_rows]
    left = count - len(shown)
    last = f"{left:,} more" if left else shown.pop()
    return f"rows {', '.join(shown)} and {last}" if shown else f"row {last}"


def count_by_column(problems: Iterable[Problem]) -> list[tuple[str, int, int]]:
    """Return column, errors and warnings; the column with the most problems first, "" for whole rows."""
    counts: dict[str, list[int]] = {}
    for problem in problems:
        counts.setdefault(problem.column, [0, 0])[problem.severity is Severity.WARNING] += 1
    rows = [(column, errors, warnings) for column, (errors, warnings) in counts.items()]
    return sorted(rows, key=lambda row: (-row[1] - row[2], row[0]))


def _make_group(alike: list[Problem]) -> ProblemGroup:
    first = alike[0]
    return ProblemGroup(
        code=first.code,
        severity=first.severity,
        column=first.column,
        message=first.message,
        remedy=first.remedy,
        is_uniform=all(problem.message == first.message for problem in alike),
        count=len(alike),
        first_rows=tuple(problem.row for problem in alike[:_FIRST_ROWS]),
    )
