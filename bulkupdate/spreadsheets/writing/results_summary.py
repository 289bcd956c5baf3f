"""Count what went wrong and where while results are written, for the sections of the Summary and their links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bulkupdate.customers.models import Problem, ResultLine, Severity, Status
from bulkupdate.customers.problem_summary import group_problems, name_rows
from bulkupdate.customers.row_reasons import RowReasons
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.explanations import find_remedy
from bulkupdate.spreadsheets.writing.summary_sheet import Linked, SummaryRow, SummarySection
from bulkupdate.text import pluralize

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


class ResultsObserver:
    """What has been written to the results so far. Its sections are complete after the last line.

    `sheets` are the titles of the sheets of results, `rows_per_sheet` is how many rows each holds below its headings.
    """

    def __init__(self, problems: Iterable[Problem], sheets: Sequence[str], rows_per_sheet: int) -> None:
        self._invalid = [group for group in group_problems(problems) if group.severity is Severity.ERROR]
        self.sheets, self.rows_per_sheet = sheets, rows_per_sheet
        self._position = 0
        self._wanted = {group.first_rows[0] for group in self._invalid}
        self._positions: dict[int, int] = {}
        self._first: dict[Status, int] = {}
        self._reasons = RowReasons()
        self._remedies: dict[int, str] = {}

    def watch(self, lines: Iterable[ResultLine]) -> Iterator[ResultLine]:
        """Yield the lines, noting what went wrong and where."""
        for line in lines:
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
        if self._reasons.add(line):
            self._positions[line.row] = self._position
            self._remedies[line.row] = find_remedy(line)

    def make_sections(self, summary: Sequence[SummaryRow], counts: Mapping[Status, int]) -> list[SummarySection]:
        """Return the sections of the Summary. Their rows are made when they are iterated, after the last line."""
        return [
            SummarySection(
                "Rows by status: a number leads to the first such row", self._count_rows(counts), STATUS_COLOURS
            ),
            SummarySection("What went wrong, the most frequent first", self._describe_reasons(), STATUS_COLOURS),
            SummarySection("The run", summary),
        ]

    def _count_rows(self, counts: Mapping[Status, int]) -> Iterator[SummaryRow]:
        for status in Status:
            count = counts.get(status, 0)
            value = Linked(count, self._locate(self._first[status])) if status in self._first else count
            yield status.value, value, _MEANINGS[status]
        yield "all rows", sum(counts.values()), ""

    def _describe_reasons(self) -> Iterator[SummaryRow]:
        found = [
            (group.count, f"{Status.INVALID}: {group.column or 'whole row'}", f"{group.title} ({group.where})",
             group.first_rows[0], group.remedy)
            for group in self._invalid
        ] + [
            (reason.count, f"{reason.status}: whole row",
             f"{pluralize(reason.count, 'row')}: {reason.message} ({name_rows(reason.first_rows, reason.count)})",
             reason.first_rows[0], self._remedies[reason.first_rows[0]])
            for reason in self._reasons.list()
        ]  # fmt: skip
        if not found:
            yield "nothing", "All rows went through."
        for _, label, text, row, remedy in sorted(found, key=lambda entry: -entry[0])[:_MOST_GROUPS]:
            position = self._positions.get(row)
            value = make_visible(text)
            yield label, value if position is None else Linked(value, self._locate(position)), make_visible(remedy)

    def _locate(self, position: int) -> str:
        """Return the location of a row in the workbook, for a link; `position` counts the rows from 0."""
        sheet, row = divmod(position, self.rows_per_sheet)
        return f"'{self.sheets[sheet]}'!A{row + 2}"
