"""Count, while results are written, what went wrong and where, for the Summary's sections with their links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bulkupdate.customers.models import Problem, ResultLine, Severity, Status
from bulkupdate.customers.problem_summary import ProblemGroup, group_problems
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.explanations import find_remedy
from bulkupdate.spreadsheets.writing.summary_sheet import Linked, SummaryRow, SummarySection

STATUS_COLOURS = {
    Status.UPDATED.value: styles.GREEN,
    Status.UNCHANGED.value: styles.PLAIN_GREY,
    Status.INVALID.value: styles.RED,
    Status.REJECTED.value: styles.RED,
    Status.FAILED.value: styles.RED,
    Status.UNKNOWN.value: styles.AMBER,
    Status.NOT_ATTEMPTED.value: styles.AMBER,
}

_MEANINGS = {
    Status.UPDATED: "The service applied the update.",
    Status.UNCHANGED: "There was nothing to send for this row.",
    Status.INVALID: "A check found a problem: not sent.",
    Status.REJECTED: "The service refused this row.",
    Status.FAILED: "The service failed to apply it, after several attempts.",
    Status.UNKNOWN: "Sent without a final answer: it may or may not have been applied.",
    Status.NOT_ATTEMPTED: "Never sent: the run stopped before this row.",
}
_WELL = (Status.UPDATED, Status.UNCHANGED)
_MOST_GROUPS = 100
_FIRST_ROWS = 5
_NUMBERS = re.compile(r"\d+")


@dataclass
class _Group:
    """Rows that the service answered alike: the first line, and the rows of the first few of them."""

    first: ResultLine
    count: int = 0
    rows: list[int] = field(default_factory=list)
    is_uniform: bool = True

    def add(self, line: ResultLine) -> None:
        self.count += 1
        self.is_uniform &= line.message == self.first.message
        if len(self.rows) < _FIRST_ROWS:
            self.rows.append(line.row)

    def describe(self) -> ProblemGroup:
        return ProblemGroup(
            code="", severity=Severity.ERROR, column="", message=self.first.message, remedy=find_remedy(self.first),
            is_uniform=self.is_uniform, count=self.count, first_rows=tuple(self.rows),
        )  # fmt: skip


class ResultsObserver:
    """What has been written to the results so far. Its sections are complete when the last line has passed.

    `sheets` are the titles of the sheets of results, `room` is how many rows each holds below its headings.
    """

    def __init__(self, problems: Iterable[Problem], sheets: Sequence[str], room: int) -> None:
        self.counts: Counter[Status] = Counter()
        self._invalid = [group for group in group_problems(problems) if group.severity is Severity.ERROR]
        self.sheets, self.room = sheets, room
        self._position = 0
        self._wanted = {group.first_rows[0] for group in self._invalid}
        self._positions: dict[int, int] = {}
        self._first: dict[Status, int] = {}
        self._groups: dict[tuple[Status, str], _Group] = {}

    def watch(self, lines: Iterable[ResultLine]) -> Iterator[ResultLine]:
        """Yield the lines, having counted them."""
        for line in lines:
            self.counts[line.status] += 1
            self._first.setdefault(line.status, self._position)
            if line.status not in _WELL:
                self._add(line)
            self._position += 1
            yield line

    def _add(self, line: ResultLine) -> None:
        if line.status is Status.INVALID:
            if line.row in self._wanted:
                self._positions[line.row] = self._position
            return
        key = (line.status, _NUMBERS.sub("0", line.message))
        if key not in self._groups and len(self._groups) < _MOST_GROUPS:
            self._groups[key] = _Group(line)
            self._positions[line.row] = self._position
        if key in self._groups:
            self._groups[key].add(line)

    def make_sections(self, summary: Sequence[SummaryRow], counts: Mapping[Status, int]) -> list[SummarySection]:
        """Return the sections of the Summary. Their rows are made when they are iterated: after the last line."""
        return [
            SummarySection(
                "Rows by status: a number leads to the first such row", self._count_rows(counts), STATUS_COLOURS
            ),
            SummarySection("What went wrong, the most frequent first", self._describe_groups(), STATUS_COLOURS),
            SummarySection("The run", summary),
        ]

    def _count_rows(self, counts: Mapping[Status, int]) -> Iterator[SummaryRow]:
        for status in Status:
            count = counts.get(status, 0)
            value = Linked(count, self._locate(self._first[status])) if status in self._first else count
            yield status.value, value, _MEANINGS[status]
        yield "all rows", sum(counts.values()), ""

    def _describe_groups(self) -> Iterator[SummaryRow]:
        answered = [(status.value, group.describe()) for (status, _), group in self._groups.items()]
        groups = [(Status.INVALID.value, group) for group in self._invalid] + answered
        if not groups:
            yield "nothing", "All rows went through."
        for status, group in sorted(groups, key=lambda each: -each[1].count)[:_MOST_GROUPS]:
            text = make_visible(f"{group.title} ({group.where})")
            position = self._positions.get(group.first_rows[0])
            value = text if position is None else Linked(text, self._locate(position))
            yield f"{status}: {group.column or 'whole row'}", value, make_visible(group.remedy)

    def _locate(self, position: int) -> str:
        """Return the place of a row within the workbook, for a link; `position` counts the rows from 0."""
        sheet, row = divmod(position, self.room)
        return f"'{self.sheets[sheet]}'!A{row + 2}"
