"""The check report as a workbook: what would be sent, what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.models import Change, Problem, Severity
from bulkupdate.customers.problem_summary import group_problems
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.summary_sheet import Section, SummaryRow, format_summary
from bulkupdate.spreadsheets.writing.xlsx_writer import EXCEL_ROWS, Cell, StreamedRows, Styled, write_workbook

SUMMARY_SHEET = "Summary"
PROBLEMS_SHEET = "Problems"
PREVIEW_SHEET = "Preview"
CHANGES_SHEET = "Changes"

SEVERITY_COLOURS = {Severity.ERROR.value: styles.RED, Severity.WARNING.value: styles.AMBER}

_PROBLEMS = {
    "Row": 8.0, "CustomerId": 13.0, "Column": 22.0, "Value": 30.0, "What is wrong": 56.0, "How to mend it": 56.0,
    "Severity": 11.0,
}  # fmt: skip
_PREVIEW = {"Row": 8.0, "CustomerId": 13.0, "Body": 120.0}
_CHANGES = {"Row": 8.0, "CustomerId": 13.0, "Field": 26.0, "Before": 46.0, "After": 46.0}

_NOT_LISTED = "Excel has no room for more rows: those after this one are not listed."


def write_check_report(
    path: Path,
    *,
    problems: Sequence[Problem],
    previews: Iterable[tuple[int, str, str]],
    changes: Iterable[Change] | None,
    summary: Sequence[SummaryRow],
) -> None:
    """Write the sheets Summary, Problems, Preview and, unless `changes` is None, Changes to the workbook `path`.

    A preview is a row number, a customer id and the exact body; `summary` holds labels, values and perhaps remarks.
    The file appears whole or not at all; it is readable by its owner only. What a sheet has no room for is said in its
    last row. Raises `UsageError` if the file cannot be written.
    """
    book = styles.new_book(SUMMARY_SHEET, PROBLEMS_SHEET, PREVIEW_SHEET)
    streamed = {
        SUMMARY_SHEET: format_summary(book[SUMMARY_SHEET], _make_sections(problems, summary)),
        PROBLEMS_SHEET: _format_table(
            book[PROBLEMS_SHEET], _PROBLEMS, (_format_problem(each) for each in problems), wrapped=("What", "How")
        ),
        PREVIEW_SHEET: _format_table(book[PREVIEW_SHEET], _PREVIEW, previews),
    }
    styles.add_status_colours(book[PROBLEMS_SHEET], len(_PROBLEMS), 2, SEVERITY_COLOURS)
    if changes is not None:
        sheet = book.create_sheet(CHANGES_SHEET)
        streamed[CHANGES_SHEET] = _format_table(sheet, _CHANGES, (_format_change(each) for each in changes))
    with replace_file(path) as stream:
        write_workbook(book, stream, streamed)


def _make_sections(problems: Sequence[Problem], summary: Sequence[SummaryRow]) -> list[Section]:
    groups = [
        (f"{group.severity.value}: {group.column or 'whole row'}", f"{group.title} — {group.where}", group.remedy)
        for group in group_problems(problems)
    ]
    return [
        Section("What would happen", summary),
        Section("What is wrong, the most frequent first", groups or [("nothing", "No problem was found.")]),
    ]


def _format_table(
    sheet: Worksheet, columns: Mapping[str, float], rows: Iterable[Sequence[Cell]], wrapped: tuple[str, ...] = ()
) -> StreamedRows:
    """A table with these headings and widths; the columns whose headings begin with `wrapped` break their lines."""
    styles.make_table(sheet, len(columns))
    styles.set_widths(sheet, tuple(columns.values()))
    heading = styles.register(sheet, styles.OWN_HEADING)
    number, text, broken = (
        styles.register(sheet, look) for look in (styles.NUMBER, styles.INPUT_TEXT, styles.WRAPPED_TEXT)
    )
    column_styles = [number if name == "Row" else broken if name.startswith(wrapped) else text for name in columns]
    wrap_widths = {place: columns[name] for place, name in enumerate(columns) if name.startswith(wrapped)}
    return StreamedRows(chain([[Styled(name, heading) for name in columns]], _cap(rows)), column_styles, wrap_widths)


def _cap(rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    """As many rows as a sheet takes under its heading; the last says so if some are left out."""
    iterator = iter(rows)
    yield from islice(iterator, EXCEL_ROWS - 2)
    rest = list(islice(iterator, 2))
    yield from rest if len(rest) < 2 else [(None, _NOT_LISTED)]


def _format_problem(problem: Problem) -> tuple[Cell, ...]:
    return (
        problem.row,
        make_visible(problem.customer_id),
        make_visible(problem.column),
        make_visible(problem.value),
        make_visible(problem.message),
        make_visible(problem.remedy),
        problem.severity.value,
    )


def _format_change(change: Change) -> tuple[Cell, ...]:
    return change.row, change.customer_id, change.field, make_visible(change.before), make_visible(change.after)
