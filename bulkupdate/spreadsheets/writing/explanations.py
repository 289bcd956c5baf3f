"""Explain in sentences why rows were not updated, and what to do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from bulkupdate.customers.models import Problem, ResultLine, Severity, Status
from bulkupdate.customers.parse_result import quote
from bulkupdate.spreadsheets.writing.escaping import make_visible

_REMEDIES = {
    Status.INVALID: "Correct the row.",
    Status.REJECTED: "Correct what the service names, or delete the row.",
    Status.FAILED: "Send it again with Retry on the page, or: bulkupdate retry",
    Status.UNKNOWN: "Send it again with Retry on the page, or: bulkupdate retry",
    Status.NOT_ATTEMPTED: "Send it with Resume on the page, or: bulkupdate resume",
}
NOT_FOUND = "Check the customer id: the service does not know it."

ProblemsByRow = Mapping[int, Sequence[Problem]]
"""The errors of a file by the number of their row."""


class Explanation(NamedTuple):
    """Why a row was not updated, and what to do; both for display. An empty remedy: there is nothing to do."""

    reason: str
    remedy: str

    def __str__(self) -> str:
        """Return both as sentences in one line."""
        return " ".join(filter(None, (end_sentence(self.reason) if self.remedy else self.reason, self.remedy)))


def group_errors(problems: Iterable[Problem]) -> ProblemsByRow:
    """Return the errors by row, without warnings, which do not keep a row from being sent."""
    found: dict[int, list[Problem]] = defaultdict(list)
    for problem in problems:
        if problem.severity is Severity.ERROR:
            found[problem.row].append(problem)
    return found


def explain(line: ResultLine, problems: ProblemsByRow) -> list[Explanation]:
    """Return an explanation for each problem of the row; for a row without problems, one of its message."""
    if line.status in (Status.UPDATED, Status.UNCHANGED):
        return [Explanation(make_visible(line.message), "")]
    found = problems.get(line.row, ()) if line.status is Status.INVALID else ()
    if not found:
        return [Explanation(make_visible(line.message), find_remedy(line))]
    return [Explanation(make_visible(_name_problem(problem)), make_visible(problem.remedy)) for problem in found]


def find_remedy(line: ResultLine) -> str:
    """Return what to do about a row that was not updated, judged by its status."""
    if line.status is Status.REJECTED and (line.http_status == 404 or "not found" in line.message.lower()):
        return NOT_FOUND
    return _REMEDIES[line.status]


def end_sentence(text: str) -> str:
    """Return the text with a full stop, unless it ends a sentence already."""
    return text if not text or text.endswith((".", "!", "?", "…")) else f"{text}."


def _name_problem(problem: Problem) -> str:
    """Return the problem with its column, or for a whole row with its text, which is not in the results otherwise."""
    if problem.column:
        return f"{problem.column}: {problem.message}"
    return f"{problem.message} ({quote(problem.value)})" if problem.value else problem.message
