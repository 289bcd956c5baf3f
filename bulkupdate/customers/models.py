"""The records that packages share: problems, rows as they will be sent, and their results."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from bulkupdate.customers.problem_codes import ProblemCode


class Status(StrEnum):
    """The result of a row. Every row of a file has exactly one; the counts add up to the rows read."""

    UPDATED = "updated"
    """Answered 200 or 204 with a body that reports no failure (and, with `--verify`, the read-back agrees)."""
    UNCHANGED = "unchanged"
    """Nothing to send: all cells blank, or the live record already has every value."""
    INVALID = "invalid"
    """Refused by the checks; never sent."""
    REJECTED = "rejected"
    """The service refused this row with a final answer."""
    FAILED = "failed"
    """Retries used up, or the read-back disagrees."""
    UNKNOWN = "unknown"
    """Sent, no answer: may or may not have been applied."""
    NOT_ATTEMPTED = "not attempted"
    """The run stopped before this row."""


class Severity(StrEnum):
    """Whether a problem keeps its row from being sent (error) or not (warning)."""

    ERROR = "error"
    WARNING = "warning"


RESULT_COLUMNS = (
    "Row", "CustomerId", "Status", "HttpStatus", "Attempts", "FieldsSent", "Message", "FinishedAt",
)  # fmt: skip
"""The headings that a results sheet adds before the original ones."""

TO_FIX_COLUMNS = ("Row", "Reason", "How to fix")
"""The headings that a to-fix sheet adds before the original ones."""

REASON_COLUMN = "Reason"
"""The heading that earlier versions added to a to-fix sheet, after the original ones."""

MATCH_COLUMN = "Match"
"""The heading that a matched sheet adds after the original ones: how the customer of the row was found."""


SHORTENED = re.compile(r"… \[shortened: [0-9,]+ characters\]\Z")
"""The end of a text that was shortened to fit an Excel cell: it is not what was in the sheet."""

REFUSED_MARK = re.compile(r"\[bulkupdate:[ \u00a0](.*?)\]?\Z", re.DOTALL)
"""What results and to-fix sheets add to a cell that must be corrected, although its text alone would pass."""

_LONGEST_MARK = 300


def mark_refused(text: str, message: str) -> str:
    """Return the text of a cell with the mark that keeps it refused until it is replaced.

    The mark holds a no-break space, which no plain text has, so that the cell is parsed and not skipped as plain.
    """
    return f"{text} [bulkupdate:\u00a0{message[:_LONGEST_MARK]}]".lstrip()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong or doubtful in a cell.

    `row` is numbered as Excel shows it. `column` is the heading as it is in the file; empty if the whole row is
    meant. `value` is the cell's text. `code` is a `ProblemCode`, or its text if read from a journal, which may be
    of another version. The other fields are those of a `Finding`, from which every problem is made.
    """

    row: int
    customer_id: str
    column: str
    value: str
    code: str
    message: str
    remedy: str
    severity: Severity = Severity.ERROR

    @classmethod
    def from_columns(cls, columns: Iterable[Any]) -> Problem:
        """Return a problem from the columns of a database row, which are its fields in order."""
        *texts, severity = columns
        return replace(cls(*texts), severity=Severity(severity))


PROBLEM_COLUMNS = attrgetter(*(field.name for field in fields(Problem)))
"""Returns the fields of a problem as the columns of a database row."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong or doubtful with a text, before its row and column are known.

    `message` is a sentence in lower case without a full stop, as it follows a row and a column: "row 5, Rating: “Good”
    is not a rating". `remedy` is a sentence that says how to fix it.
    """

    code: ProblemCode
    message: str
    remedy: str
    severity: Severity = Severity.ERROR

    @classmethod
    def error(cls, code: ProblemCode, message: str = "", remedy: str = "") -> Finding:
        """Return a finding that keeps a row from being sent; the default texts are those of the code."""
        return cls(code, message or code.explanation, remedy or code.remedy)

    @classmethod
    def warning(cls, code: ProblemCode, message: str = "", remedy: str = "") -> Finding:
        """Return a finding that does not keep a row from being sent; the default texts are those of the code."""
        return cls(code, message or code.explanation, remedy or code.remedy, Severity.WARNING)

    def at(self, row: int, customer_id: str, column: str, value: str) -> Problem:
        """Return the problem of a cell, or of a whole row; see `Problem` for the arguments."""
        return Problem(row, customer_id, column, value, self.code, self.message, self.remedy, self.severity)


class CheckedRow(NamedTuple):
    """One row of the file after the checks; a tuple, as there may be a million.

    `customer_id` is the normalised id, or the cell's text if that is not an id. `body` is the JSON text that will be
    sent, None if there is nothing to send or the row is invalid. `original` is the text of every cell, in the order
    of the file's columns. `reason` says in one sentence why it is invalid; empty for a valid row. `may_be_applied`: the
    run that this one retries may have applied it.
    """

    number: int
    customer_id: str
    status: Status
    body: str | None
    fields: tuple[str, ...]
    original: tuple[str, ...]
    reason: str = ""
    may_be_applied: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one customer, live and as the sheet has it.

    Texts as users read them; an empty text is an empty field.
    """

    row: int
    customer_id: str
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Correction:
    """A cell whose text was replaced before the checks; the file is left as it is.

    `row` is numbered as Excel shows it, `column` is the heading, `before` the text in the file.
    """

    row: int
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ResultLine:
    """The result of one row.

    `http_status` is None if no answer came or nothing was sent; `finished_at` is ISO 8601 in UTC, empty if the row is
    not finished.
    """

    row: int
    customer_id: str
    status: Status
    http_status: int | None
    attempts: int
    fields_sent: tuple[str, ...]
    message: str
    finished_at: str
    original: tuple[str, ...]

    def list_values(self) -> tuple[object, ...]:
        """Return the values of `RESULT_COLUMNS` for a program: names in a list, None for a value that is missing."""
        return (
            self.row, self.customer_id, self.status.value, self.http_status, self.attempts, list(self.fields_sent),
            self.message, self.finished_at or None,
        )  # fmt: skip
