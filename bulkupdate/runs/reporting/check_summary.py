"""The results of a dry run: problems, counts, the bodies it would send, and what it cannot check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.clock import format_duration
from bulkupdate.customers.models import CheckedRow, Problem, Status
from bulkupdate.errors import ExitCode
from bulkupdate.runs.live.live_findings import LiveFindings
from bulkupdate.runs.loading.input_file import CheckedInput
from bulkupdate.runs.reporting.run_report import RunReport
from bulkupdate.runs.run_records import RunState
from bulkupdate.text import SuggestedCommand

NOT_LOOKED_UP = "Whether the customers exist and what their fields are now: `check --live` shows it."
NOT_CHECKED = (
    "Whether the service accepts each value: it may have rules of its own, as for the ids of account managers.",
    "Whether a customer is changed by someone else before the rows are sent.",
)
LOGIN = "Whether the login works: `bulkupdate doctor` checks it."
"""What a dry run cannot check, and what only a comparison with the live customers shows."""


@dataclass(frozen=True)
class WrittenReports:
    """The reports of a check that were written (None: not written), and notes about them for the user."""

    workbook: Path | None = None
    annotated: Path | None = None
    page: Path | None = None
    notes: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files that were written."""
        return tuple(path for path in (self.workbook, self.annotated, self.page) if path is not None)


def list_problems(checked_input: CheckedInput, live: LiveFindings | None) -> tuple[Problem, ...]:
    """Return the problems of the file and of the comparison with the live customers, in the order of the sheet."""
    if live is None or not live.problems:
        return checked_input.problems
    return tuple(sorted((*checked_input.problems, *live.problems), key=lambda problem: problem.row))


def count_rows(checked_input: CheckedInput, live: LiveFindings | None) -> dict[Status, int]:
    """Return the rows by status so far; those of unknown customers, or of customers with another key, are invalid."""
    counts = dict(checked_input.checked.counts)
    refused = {problem.row for problem in live.problems} if live else set()
    if refused:
        found = Counter(row.status for row in checked_input.rows() if row.number in refused)
        for status, count in found.items():
            counts[status] -= count
            counts[Status.INVALID] += count
    return counts


def preview(rows: Iterable[CheckedRow]) -> Iterator[tuple[int, str, str]]:
    """Yield row number, customer id and exact body of every row that would be sent."""
    return (
        (row.number, row.customer_id, row.body)
        for row in rows
        if row.body is not None and row.status is Status.NOT_ATTEMPTED
    )


def summarise_check(
    checked_input: CheckedInput,
    requests_per_hour: int,
    live: LiveFindings | None = None,
    word: Callable[[str], str] = str,
) -> list[tuple[str, str | int]]:
    """Return the lines of a check report's Summary; `word` rephrases what was not checked, empty to leave it out."""
    counts = count_rows(checked_input, live)
    to_send = counts[Status.NOT_ATTEMPTED]
    calls = to_send + 1 if to_send else 0
    unknown = NOT_CHECKED if live else (NOT_LOOKED_UP, *NOT_CHECKED, LOGIN)
    return [
        ("File", checked_input.shown_as or str(checked_input.path)),
        *([("Sheet", checked_input.sheet_name)] if checked_input.sheet_name else []),
        ("Rows", len(checked_input.checked)),
        ("Valid, to be sent", counts[Status.NOT_ATTEMPTED]),
        ("Invalid", counts[Status.INVALID]),
        ("Nothing to send", counts[Status.UNCHANGED]),
        *([("Corrected cells", len(checked_input.corrections))] if checked_input.corrections else []),
        ("Requests needed", calls),
        ("Time needed", _estimate(calls, requests_per_hour)),
        *_summarise_live(live, to_send, requests_per_hour),
        *(("How it was read", note) for note in checked_input.notes),
        *(("Not checked", text) for what in unknown if (text := word(what))),
    ]


def _summarise_live(live: LiveFindings | None, to_send: int, requests_per_hour: int) -> list[tuple[str, str | int]]:
    """Return the cost and the results of reading the live customers."""
    if live is None:
        return []
    share = [("Share of an hour's quota", f"{live.calls / requests_per_hour:.1%}")] if requests_per_hour else []
    lines: list[tuple[str, str | int]] = [
        ("Requests used to read the customers", live.calls),
        *share,
        ("Unknown customers", len(live.unknown)),
        *([("Customers with another key", len(live.conflicts))] if live.conflicts else []),
    ]
    if live.changes is not None:
        differing = to_send - live.same
        lines += [
            ("Rows without changes", live.same),
            ("Rows that differ", differing),
            ("Fields that would change", len(live.changes)),
            ("Requests with --only-changes", differing + live.calls if to_send else 0),
        ]
    return lines


def _estimate(calls: int, requests_per_hour: int) -> str:
    waits = -(-calls // requests_per_hour) - 1 if requests_per_hour else 0
    if waits <= 0:
        return "no waiting for quota, if none of it is used yet"
    return f"at least {format_duration(waits * 3600)}, as the service allows {requests_per_hour:,} requests an hour"


def report_check(
    checked_input: CheckedInput,
    exit_code: ExitCode,
    written: WrittenReports,
    next_command: SuggestedCommand | None,
    live: LiveFindings | None = None,
) -> RunReport:
    """Return a file that was checked and not sent. `live` is what fetching live customers found, None: not fetched."""
    return RunReport(
        run=None,
        file=str(checked_input.path),
        sheet=checked_input.sheet_name,
        recipe=checked_input.used.recipe or None,
        state=RunState.FINISHED,
        exit_code=exit_code,
        rows=len(checked_input.checked),
        counts={status: count for status, count in count_rows(checked_input, live).items() if count},
        problems=tuple(list_problems(checked_input, live)),
        corrections=checked_input.corrections,
        calls=(live.calls if live else 0) + (checked_input.matched.requests if checked_input.matched else 0),
        results=written.workbook or written.page,
        html=written.page,
        annotated=written.annotated,
        next_command=next_command,
    )
