"""Write the check report as a workbook: what would be sent, what is wrong, and how to fix it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from pathlib import Path

from bulkupdate.customers.models import Change, Correction, Problem
from bulkupdate.customers.problem_summary import group_problems
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.annotated_copy import MarkedCopy
from bulkupdate.spreadsheets.writing.corrections_sheet import add_corrections
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.problem_listing import SEVERITY_COLOURS
from bulkupdate.spreadsheets.writing.summary_sheet import SummaryRow, SummarySection, format_summary
from bulkupdate.spreadsheets.writing.tables import Column, format_table
from bulkupdate.spreadsheets.writing.xlsx_writer import EXCEL_ROWS, Cell, Styled, write_workbook

SUMMARY_SHEET = "Summary"
PROBLEMS_SHEET = "Problems"
PREVIEW_SHEET = "Preview"
CHANGES_SHEET = "Changes"
MATCHES_SHEET = "Matches"

_ROW = Column("Row", 8.0, styles.NUMBER)
_CUSTOMER_ID = Column("CustomerId", 13.0)
_PROBLEMS = (
    Column("Severity", 11.0), _ROW, _CUSTOMER_ID, Column("Column", 28.0), Column("Value", 30.0, styles.WRAPPED_TEXT),
    Column("Problem", 56.0, styles.WRAPPED_TEXT), Column("How to fix", 56.0, styles.WRAPPED_TEXT),
)  # fmt: skip
_FROZEN = 3
_PREVIEW = (_ROW, _CUSTOMER_ID, Column("Body", 120.0, styles.WRAPPED_TEXT))
_CHANGES = (_ROW, _CUSTOMER_ID, Column("Field", 26.0), Column("Before", 46.0, styles.WRAPPED_TEXT),
            Column("After", 46.0, styles.WRAPPED_TEXT))  # fmt: skip

MATCH_COLUMNS = (
    _ROW, Column("Key", 42.0, styles.WRAPPED_TEXT), Column("Result", 20.0), _CUSTOMER_ID, Column("Candidate", 13.0),
    Column("Name", 30.0, styles.WRAPPED_TEXT), Column("BusinessName", 30.0, styles.WRAPPED_TEXT),
    Column("Email", 42.0, styles.WRAPPED_TEXT),
)  # fmt: skip
"""How the customers of the rows were found: a line for each row, and for each further candidate of a row."""

_NOT_LISTED = "A worksheet holds no more rows: those after this one are not listed."


def write_check_report(
    path: Path,
    *,
    problems: Sequence[Problem],
    previews: Iterable[tuple[int, str, str]],
    changes: Iterable[Change] | None,
    summary: Sequence[SummaryRow],
    matches: Iterable[Sequence[str | int]] | None = None,
    corrections: Sequence[Correction] = (),
    copy: MarkedCopy | None = None,
) -> None:
    """Write the sheets Summary, Problems and Preview to a workbook; if there are any, Changes, Matches and Corrections.

    A preview is a row number, a customer id and the exact body; `summary` holds labels, values and perhaps remarks;
    `matches` are the lines of that sheet, see `MATCH_COLUMNS`. `copy` is the annotated copy beside the report, to whose
    cells the row numbers of the problems link; None if there is none. The file is written completely or not at all;
    only its owner can read it. If a sheet has no room for all rows, its last row says so. Raises `UsageError` if the
    file cannot be written.
    """
    book = styles.new_book(SUMMARY_SHEET, PROBLEMS_SHEET, PREVIEW_SHEET)
    sheet = book[PROBLEMS_SHEET]
    locations = copy.locations if copy else repeat("")
    lines = map(_format_problem, problems, locations, repeat(styles.register(sheet, styles.LINK)))
    streamed = {
        SUMMARY_SHEET: format_summary(book[SUMMARY_SHEET], _make_sections(problems, summary)),
        PROBLEMS_SHEET: format_table(
            sheet, _PROBLEMS, _cap(lines), frozen=_FROZEN, linked_file=copy.path.name if copy else ""
        ),
        PREVIEW_SHEET: format_table(book[PREVIEW_SHEET], _PREVIEW, _cap(previews)),
    }
    styles.add_status_colours(sheet, 1, 2, SEVERITY_COLOURS)
    if changes is not None:
        streamed[CHANGES_SHEET] = format_table(
            book.create_sheet(CHANGES_SHEET), _CHANGES, _cap(map(_format_change, changes))
        )
    if matches is not None:
        streamed[MATCHES_SHEET] = format_table(
            book.create_sheet(MATCHES_SHEET), MATCH_COLUMNS, _cap(map(_format_match, matches))
        )
    streamed |= add_corrections(book, corrections)
    with replace_file(path) as stream:
        write_workbook(book, stream, streamed, OwnFileKind.CHECK_REPORT)


def _make_sections(problems: Sequence[Problem], summary: Sequence[SummaryRow]) -> list[SummarySection]:
    groups = [
        (f"{group.severity.value}: {group.column or 'whole row'}", f"{group.title} — {group.where}", group.remedy)
        for group in group_problems(problems)
    ]
    return [
        SummarySection("What would happen", summary),
        SummarySection(
            "Problems, the most frequent first", groups or [("none", "No problem was found.")], SEVERITY_COLOURS
        ),
    ]


def _cap(rows: Iterable[Sequence[Cell]]) -> Iterator[Sequence[Cell]]:
    """Yield as many rows as fit in a sheet below its heading; the last says so if some are left out."""
    iterator = iter(rows)
    yield from islice(iterator, EXCEL_ROWS - 2)
    rest = list(islice(iterator, 2))
    yield from rest if len(rest) < 2 else [(None, _NOT_LISTED)]


def _format_problem(problem: Problem, location: str, link: int) -> tuple[Cell, ...]:
    return (
        problem.severity.value,
        Styled(problem.row, link, location) if location else problem.row,
        make_visible(problem.customer_id),
        make_visible(problem.column),
        make_visible(problem.value),
        make_visible(problem.message),
        make_visible(problem.remedy),
    )


def _format_change(change: Change) -> tuple[Cell, ...]:
    return change.row, change.customer_id, change.field, make_visible(change.before), make_visible(change.after)


def _format_match(line: Sequence[str | int]) -> tuple[Cell, ...]:
    return tuple(make_visible(value) if isinstance(value, str) else value for value in line)
