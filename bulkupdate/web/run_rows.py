"""The rows of a run as its page lists them: why they did not go through, filtered, searched and in pages."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bulkupdate.customers.models import Problem, ResultLine, Severity, Status
from bulkupdate.customers.problem_summary import group_problems
from bulkupdate.customers.row_reasons import NOT_UPDATED, leave_out_customer
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.run_records import TO_FIX, Run
from bulkupdate.spreadsheets.writing.explanations import Explanation, explain, group_errors
from bulkupdate.web.page_words import say_on_page
from bulkupdate.web.paging import PAGE_ROWS, Paging, count_skipped

_MOST_REASONS = 1_000


@dataclass(frozen=True)
class RowFilter:
    """Which rows to list: `show` is the key of a reason, a status, or empty for all that did not go through.

    `search` is a row number, or part of a customer id, a message or a cell. `page` counts from 1.
    """

    show: str = ""
    search: str = ""
    page: int = 1


@dataclass
class Reason:
    """Why some rows did not go through. `key` names it in an address, without saying anything of a customer."""

    key: str
    status: Status
    message: str
    rows: list[int] = field(default_factory=list)

    @property
    def may_be_fixed(self) -> bool:
        """Whether its rows can be corrected and sent again."""
        return self.status in TO_FIX


@dataclass(frozen=True)
class RowPage:
    """One page of the rows that a filter chooses, with what is said about each."""

    rows: list[tuple[ResultLine, list[Explanation]]]
    at: Paging


def list_reasons(run: Run, journal: Journal, problems: Sequence[Problem]) -> list[Reason]:
    """Return the reasons, the most frequent first. `problems` are those of the run."""
    found = _group_invalid(run, journal, problems) if problems else {}
    others = tuple(status for status in NOT_UPDATED if not problems or status is not Status.INVALID)
    by_message: dict[tuple[Status, str], Reason] = {}
    for line in journal.messages(run, others):
        general = leave_out_customer(line)
        reason = by_message.get((line.status, general))
        if reason is not None:
            reason.rows.append(line.row)
            reason.message = general
        elif len(by_message) < _MOST_REASONS:
            reason = Reason(_make_key(line.status, general), line.status, line.message, [line.row])
            by_message[line.status, general] = reason
    return sorted((*found.values(), *by_message.values()), key=lambda reason: (-len(reason.rows), reason.key))


def _group_invalid(run: Run, journal: Journal, problems: Sequence[Problem]) -> dict[str, Reason]:
    """Return the reasons of rows that the checks refused: a row with two problems has two."""
    invalid = {line.row for line in journal.messages(run, [Status.INVALID])}
    errors = [problem for problem in problems if problem.severity is Severity.ERROR and problem.row in invalid]
    rows: dict[tuple[str, str], list[int]] = {}
    for problem in errors:
        rows.setdefault((problem.column, problem.code), []).append(problem.row)
    found = {}
    for group in group_problems(errors):
        key = _make_key(Status.INVALID, group.column, group.code)
        example = "" if group.is_uniform else "for example, "
        message = f"{group.column}: {example}{group.message}" if group.column else group.message
        found[key] = Reason(key, Status.INVALID, message, list(dict.fromkeys(rows[group.column, group.code])))
    return found


def _make_key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def find_rows(
    run: Run, journal: Journal, wanted: RowFilter, reasons: Sequence[Reason], problems: Sequence[Problem]
) -> RowPage:
    """Return the rows that a filter chooses. `reasons` and `problems` are those of the run."""
    skip = count_skipped(wanted.page)
    chosen = choose_rows(run, journal, wanted, reasons)
    if chosen is None:
        statuses = list_statuses(wanted.show)
        counts = journal.tally(run)
        total, lines = sum(counts[status] for status in statuses), journal.page_lines(run, statuses, skip, PAGE_ROWS)
    else:
        total, lines = len(chosen), journal.find_lines(run, chosen[skip : skip + PAGE_ROWS])
    errors = group_errors(problems)
    return RowPage([(line, _explain(line, errors)) for line in lines], Paging(wanted.page, total))


def choose_rows(run: Run, journal: Journal, wanted: RowFilter, reasons: Sequence[Reason]) -> list[int] | None:
    """Return the numbers of the rows that a filter chooses; None if it chooses by status alone."""
    reason = next((reason for reason in reasons if reason.key == wanted.show), None)
    if not wanted.search:
        return None if reason is None else reason.rows
    rows = None if reason is None else set(reason.rows)
    lines = journal.lines(run, list_statuses(wanted.show) if reason is None else [reason.status])
    return [line.row for line in lines if (rows is None or line.row in rows) and _matches(line, wanted.search)]


def list_statuses(show: str) -> tuple[Status, ...]:
    """Return the statuses of a filter by status: all that did not go through, unless it names one."""
    return tuple(status for status in Status if status == show) or NOT_UPDATED


def _matches(line: ResultLine, search: str) -> bool:
    term = search.casefold()
    texts = (line.customer_id, line.message, *line.original)
    return str(line.row) == term or any(term in text.casefold() for text in texts)


def _explain(line: ResultLine, errors: Mapping[int, Sequence[Problem]]) -> list[Explanation]:
    """Return why a row did not go through, and what to do; only what can be done on the page."""
    found = explain(line, errors)
    if line.status not in TO_FIX:
        return [each._replace(remedy="") for each in found]
    return [each._replace(remedy=say_on_page(each.remedy)) for each in found]
