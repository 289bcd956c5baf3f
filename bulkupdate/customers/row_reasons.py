"""Group the reasons of rows that were not updated: "2 rejected: 404 Customer … was not found (rows 5 and 9)"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bulkupdate.customers.models import ResultLine, Status
from bulkupdate.customers.problem_summary import name_rows
from bulkupdate.text import pluralize, truncate

NOT_UPDATED = (Status.INVALID, Status.REJECTED, Status.FAILED, Status.UNKNOWN)
"""The statuses that have a reason; a row that was not attempted has none of its own."""

_FIRST_ROWS = 5
_GROUPS_SHOWN = 10
_GROUPS_KEPT = 1_000
_MESSAGE_LENGTH = 200
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class RowReason:
    """Why some rows were not updated.

    `message` is that of the first row, the customer id replaced by `…` if there are several rows. `count` is how many
    rows, `first_rows` are the first few, as Excel numbers them.
    """

    status: Status
    message: str
    count: int
    first_rows: tuple[int, ...]

    def __str__(self) -> str:
        message = truncate(self.message, _MESSAGE_LENGTH).rstrip(".") or "no message"
        return f"{self.count:,} {self.status.value}: {message} ({name_rows(self.first_rows, self.count)})"


class RowReasons:
    """The reasons of rows, counted row by row. Beyond the first thousand, different reasons are not kept."""

    def __init__(self) -> None:
        self._found: dict[tuple[Status, str], RowReason] = {}

    def add(self, line: ResultLine) -> bool:
        """Count a row; return whether it is the first of its reason."""
        general = leave_out_customer(line)
        key = (line.status, general)
        if known := self._found.get(key):
            rows = known.first_rows if len(known.first_rows) == _FIRST_ROWS else (*known.first_rows, line.row)
            self._found[key] = RowReason(line.status, general, known.count + 1, rows)
            return False
        if is_kept := len(self._found) < _GROUPS_KEPT:
            self._found[key] = RowReason(line.status, line.message, 1, (line.row,))
        return is_kept

    def list(self) -> list[RowReason]:
        """Return the reasons, the most frequent first."""
        return sorted(self._found.values(), key=lambda reason: (-reason.count, reason.first_rows))


def group_row_reasons(lines: Iterable[ResultLine]) -> list[RowReason]:
    """Return the reasons of these rows, the most frequent first."""
    reasons = RowReasons()
    for line in lines:
        reasons.add(line)
    return reasons.list()


def leave_out_customer(line: ResultLine) -> str:
    """Return the message of a row without its customer id, so that rows with the same reason are alike."""
    customer_id, message = line.customer_id, line.message
    if not customer_id or customer_id not in message:
        return message
    if not _WORD.fullmatch(customer_id):
        return re.sub(rf"(?<!\w){re.escape(customer_id)}(?!\w)", "…", message)
    return _WORD.sub(lambda word: "…" if word[0] == customer_id else word[0], message)  # without a pattern for each row


def describe_row_reasons(reasons: Sequence[RowReason]) -> list[str]:
    """Return a sentence for each reason, and one that counts those left out."""
    sentences = [str(reason) for reason in reasons[:_GROUPS_SHOWN]]
    left = len(reasons) - _GROUPS_SHOWN
    return [*sentences, f"{pluralize(left, 'more reason')}: see the results."] if left > 0 else sentences
