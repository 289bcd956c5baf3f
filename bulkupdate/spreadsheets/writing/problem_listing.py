"""Add a sheet to the annotated copy that lists its problems, each with a link to the marked cell."""

from __future__ import annotations

from collections.abc import Sequence

from openpyxl.cell.cell import WriteOnlyCell
from openpyxl.styles.cell_style import StyleArray
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.models import Problem, Severity
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.xlsx_writer import LINE_POINTS, count_lines

SEVERITY_COLOURS = {Severity.ERROR.value: styles.RED, Severity.WARNING.value: styles.AMBER}

_SHEET = "Problems (bulkupdate)"
_COLUMNS = {"Severity": 11.0, "Row": 8.0, "Column": 28.0, "Problem": 60.0, "How to fix": 60.0}
_LINKED = 2
_MOST = 5_000
"""A longer list makes the copy slow to write and to open."""


def list_problems(sheet: Worksheet, problems: Sequence[Problem], locations: Sequence[str]) -> None:
    """Add the list to the workbook of `sheet`; `locations` are where the cells of the problems are."""
    book = sheet.parent
    assert book is not None, "a worksheet is part of a workbook"
    if _SHEET in book.sheetnames:  # a copy of an annotated copy
        del book[_SHEET]
    listing = book.create_sheet(_SHEET)
    styles.make_table(listing, list(_COLUMNS.values()), _LINKED)
    styles.add_status_colours(listing, 1, 2, SEVERITY_COLOURS)
    heading, text, link = (
        _make_style(listing, style) for style in (styles.OWN_HEADING, styles.WRAPPED_TEXT, styles.LINK)
    )
    _write_row(listing, 1, list(_COLUMNS), [heading] * len(_COLUMNS))
    for row, (problem, location) in enumerate(zip(problems[:_MOST], locations, strict=False), start=2):
        shown = (make_visible(cell) for cell in (problem.column, problem.message, problem.remedy))
        line = [problem.severity.value, problem.row, *shown]
        _write_row(listing, row, line, [text, link, text, text, text])
        listing.cell(row, _LINKED).hyperlink = Hyperlink(ref=f"B{row}", location=location)
        lines = count_lines(line, dict(enumerate(_COLUMNS.values())))
        listing.row_dimensions[row].height = LINE_POINTS * lines  # some programs do not compute the height
    if len(problems) > _MOST:
        rest = f"The check report lists all {len(problems):,} problems."
        _write_row(listing, _MOST + 2, ["", "", "", rest], [text] * 4)


def _make_style(listing: Worksheet, style: styles.CellStyle) -> StyleArray:
    """Return a style for many cells: setting it part by part takes openpyxl a hundred times as long."""
    cell = WriteOnlyCell(listing)
    styles.apply(style, cell)
    made: StyleArray = cell._style  # type: ignore[attr-defined]  # the published types lack it
    return made


def _write_row(listing: Worksheet, row: int, values: Sequence[str | int], cell_styles: Sequence[StyleArray]) -> None:
    for column, (value, style) in enumerate(zip(values, cell_styles, strict=True), start=1):
        cell = listing.cell(row, column, value)
        if isinstance(value, str):
            cell.data_type = "s"  # a text that begins with "=" too
        cell._style = style  # type: ignore[attr-defined]  # the published types lack it
