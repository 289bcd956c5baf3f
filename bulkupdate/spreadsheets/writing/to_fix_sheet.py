"""Write the to-fix file: the rows to correct and send again, with the reason and the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.headings import recognize_headings
from bulkupdate.customers.models import TO_FIX_COLUMNS, Problem, ResultLine
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.explanations import (
    NOT_FOUND,
    ProblemsByRow,
    explain,
    group_errors,
)
from bulkupdate.spreadsheets.writing.field_help import add_drop_downs, mark_duplicate_ids
from bulkupdate.spreadsheets.writing.instructions_sheet import (
    BLANK_RULE,
    CLEAR_RULE,
    INSTRUCTIONS_SHEET,
    format_instructions,
)
from bulkupdate.spreadsheets.writing.own_files import CREATOR, OwnFileKind, find_own_file
from bulkupdate.spreadsheets.writing.tables import Column, format_table, input_columns, look_ahead
from bulkupdate.spreadsheets.writing.xlsx_writer import Cell, Styled, write_workbook

TO_FIX_SHEET = "Customers"

_OWN_COLUMNS = [
    Column(heading, width, style)
    for heading, width, style in zip(
        TO_FIX_COLUMNS, (7.0, 42.0, 36.0), (styles.NUMBER, styles.WRAPPED_TEXT, styles.WRAPPED_TEXT), strict=True
    )
]
_OWN = len(TO_FIX_COLUMNS)
_COMMENTED_ROWS = 2_000
_LONGEST_COMMENT = 2_000
_FARTHEST_FROZEN = 2
_RULES = (
    ("Correct", f"the red cells in the sheet {TO_FIX_SHEET}. Other cells may be changed too; the red stays."),
    ("Delete", "the rows that should not be sent."),
    (
        "Row, Reason, How to fix",
        "are for you: they are not sent. Row is the number of the row in the file that was sent.",
    ),
    BLANK_RULE,
    CLEAR_RULE,
    ("Send", "the file as you sent the first one: upload it on the page, or: bulkupdate run FILE.xlsx"),
)


def to_fix_path(results_path: Path) -> Path:
    """Return the path of the to-fix file: `out-to-fix.xlsx` for `out.xlsx` and for `out.csv`."""
    return results_path.with_name(f"{results_path.stem}-to-fix.xlsx")


def write_to_fix(
    path: Path, headings: Sequence[str], lines: Iterable[ResultLine], problems: Iterable[Problem] = ()
) -> None:
    """Write these rows as a sheet to fix and send again: row number, reason, remedy, and the input's own columns.

    `problems` are those of the input file: their cells, and ids that the service does not know, are red, in the first
    rows with a comment. Raises `UsageError` if the file cannot be written.
    """
    first, lines = look_ahead(lines, _COMMENTED_ROWS)
    errors = group_errors(problems)
    book = styles.new_book(TO_FIX_SHEET, INSTRUCTIONS_SHEET)
    sheet = book[TO_FIX_SHEET]
    places = {heading: index for index, heading in reversed(list(enumerate(headings)))}
    key = _add_help(book, headings)
    _add_comments(sheet, first, errors, places, key)
    columns = [*_OWN_COLUMNS, *input_columns(headings, (line.original for line in first))]
    frozen = _OWN + (key + 1 if key is not None and key <= _FARTHEST_FROZEN else 0)
    bad = styles.register(sheet, styles.BAD_CELL)
    rows = (_make_row(line, errors, places, key, bad) for line in lines)
    streamed = {
        TO_FIX_SHEET: format_table(sheet, columns, rows, frozen=frozen),
        INSTRUCTIONS_SHEET: format_instructions(
            book[INSTRUCTIONS_SHEET], "How to correct these rows", _RULES,
            filter(None, recognize_headings(headings).fields),
        ),
    }  # fmt: skip
    with replace_file(path) as stream:
        write_workbook(book, stream, streamed, OwnFileKind.TO_FIX)


def remove_to_fix(path: Path) -> None:
    """Delete a to-fix file of earlier results, unless it is in use; any other file of that name stays."""
    found = find_own_file(path)
    if found and found.kind is OwnFileKind.TO_FIX:
        with suppress(OSError):
            path.unlink()


def _add_help(book: Workbook, headings: Sequence[str]) -> int | None:
    """Add drop-downs and the rule for duplicate ids; return the column of ids, from 0, None if it is not recognised."""
    fields = recognize_headings(headings).fields
    known = {_OWN + index: field for index, field in enumerate(fields, start=1) if field}
    add_drop_downs(book[TO_FIX_SHEET], known)
    mark_duplicate_ids(book[TO_FIX_SHEET], known)
    return fields.index(CUSTOMER_ID) if CUSTOMER_ID in fields else None


def _find_bad_cells(
    line: ResultLine, errors: ProblemsByRow, places: Mapping[str, int], key: int | None
) -> dict[int, list[str]]:
    """Return the columns to mark, with the texts about each; for an unknown customer, that of the id."""
    columns = [places.get(problem.column, key or 0) for problem in errors.get(line.row, ())]
    explanations = explain(line, errors)
    if not columns and key is not None and explanations[0].remedy == NOT_FOUND:
        columns = [key]
    texts: dict[int, list[str]] = {}
    for column, explanation in zip(columns, explanations, strict=False):
        texts.setdefault(column, []).append(str(explanation))
    return texts


def _add_comments(
    sheet: Worksheet, first: Sequence[ResultLine], errors: ProblemsByRow, places: Mapping[str, int], key: int | None
) -> None:
    for number, line in enumerate(first, start=2):
        for index, found in _find_bad_cells(line, errors, places, key).items():
            text = "\n\n".join(found)[:_LONGEST_COMMENT]
            sheet.cell(number, _OWN + index + 1).comment = Comment(text, CREATOR, width=320, height=60 + len(text) // 2)


def _make_row(
    line: ResultLine, errors: ProblemsByRow, places: Mapping[str, int], key: int | None, bad: int
) -> list[Cell]:
    cells: list[Cell] = list(line.original)
    for index in _find_bad_cells(line, errors, places, key):
        cells[index] = Styled(line.original[index], bad)
    reasons, remedies = (_join_lines(texts) for texts in zip(*explain(line, errors), strict=True))
    return [line.row, f"{line.status.value}: {reasons}", remedies, *cells]


def _join_lines(texts: Iterable[str]) -> str:
    """Return the texts on separate lines, without duplicates."""
    return "\n".join(dict.fromkeys(texts))
