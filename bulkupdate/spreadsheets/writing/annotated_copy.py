"""Write a copy of the user's own workbook with the bad cells marked, to correct and check again.

It is read and written by openpyxl, which keeps formats, widths, other sheets, formulas, comments and macro-free
contents; what it leaves out is named by `copy_losses.py`. The original file is never changed.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.formatting.rule import Rule
from openpyxl.styles import PatternFill
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.utils import quote_sheetname
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.customers.models import Problem, Severity
from bulkupdate.errors import UsageError
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing import styles
from bulkupdate.spreadsheets.writing.copy_losses import list_losses
from bulkupdate.spreadsheets.writing.escaping import make_visible
from bulkupdate.spreadsheets.writing.explanations import end_sentence
from bulkupdate.spreadsheets.writing.formula_values import finish_package
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind
from bulkupdate.spreadsheets.writing.problem_listing import list_problems
from bulkupdate.spreadsheets.writing.xlsx_writer import mark_workbook

MOST_ROWS = 20_000
_MOST_UNPACKED_BYTES = 100 * 1024 * 1024
_LONGEST_COMMENT = 2_000
_FILLS = {
    Severity.ERROR: PatternFill("solid", fgColor=styles.RED[0]),
    Severity.WARNING: PatternFill("solid", fgColor=styles.AMBER[0]),
}
_LITERAL_ESCAPE = re.compile("_(?=x(?!00[01]|005F|FFF)[0-9A-Fa-f]{4}_)")


class MarkedCopy(NamedTuple):
    """An annotated copy: what it lacks, in words, and the marked cell of each problem: `'Customers'!D3`."""

    path: Path
    losses: Sequence[str]
    locations: Sequence[str]


def annotated_path(report_path: Path) -> Path:
    """Return where the annotated copy is written: `check-annotated.xlsx` beside `check.xlsx`."""
    return report_path.with_name(f"{report_path.stem}-annotated.xlsx")


def annotation_blocker(source: Path, row_count: int) -> str | None:
    """Return in one sentence why no annotated copy of this file is made; None if one can be made."""
    if source.suffix.lower() != ".xlsx":
        return "Annotated copies are made of .xlsx files only."
    if row_count > MOST_ROWS:
        return f"No annotated copy was made: the sheet has more than {MOST_ROWS:,} rows."
    try:
        with zipfile.ZipFile(source) as package:
            if sum(entry.file_size for entry in package.infolist()) > _MOST_UNPACKED_BYTES:
                return "No annotated copy was made: the workbook is too large."
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        return f"No annotated copy was made: {source.name} can no longer be read ({error})."
    return None


def write_annotated_copy(
    source: Path,
    target: Path,
    *,
    sheet_name: str,
    heading_row: int,
    headings: Sequence[str],
    key_heading: str,
    problems: Sequence[Problem],
) -> MarkedCopy:
    """Write a copy of `source` to `target` with the problem cells marked, commented, and listed in a sheet.

    `headings` are the sheet's, column by column; a problem of the whole row is marked in the column `key_heading`.
    Errors are red, warnings amber. Formulas keep their displayed values; nothing is calculated, no macro is run. Raises
    `UsageError` if the copy cannot be written or the workbook cannot be copied.
    """
    locations: list[str] = []

    def edit(sheet: Worksheet) -> None:
        locations.extend(_mark_problems(sheet, heading_row, headings, key_heading, problems))
        list_problems(sheet, problems, locations)

    try:
        losses = write_edited_copy(source, target, sheet_name, OwnFileKind.ANNOTATED_COPY, edit)
    except UncopiableError as error:
        raise UsageError(
            f"No annotated copy of {source.name} could be made: {error}.",
            remedy="The sheet Problems of the report lists the same problems.",
        ) from error
    return MarkedCopy(target, losses, locations)


class UncopiableError(Exception):
    """A workbook cannot be copied; the message says why. Stays within this package."""


def write_edited_copy(
    source: Path, target: Path, sheet_name: str, kind: OwnFileKind, edit: Callable[[Worksheet], None]
) -> list[str]:
    """Write a copy of `source` to `target`, with that sheet edited. Return what the copy lacks, in words.

    Raises `UncopiableError` if the workbook cannot be copied, `UsageError` if the copy cannot be written.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # `list_losses` names the losses that they are about
            content = _copy(source, sheet_name, kind, edit)
        losses = list_losses(source)
    except Exception as error:  # openpyxl fails in many ways on workbooks that Excel opens
        raise UncopiableError(_say_why(source, error)) from error
    with replace_file(target) as stream:
        stream.write(content)
    return losses


def _say_why(source: Path, error: Exception) -> str:
    """Return why the copy failed, in words for the user."""
    if isinstance(error, MemoryError):
        return "the workbook is too large"
    with suppress(Exception), zipfile.ZipFile(source) as package:
        if any("\\" in entry.orig_filename for entry in package.infolist()):
            return "its parts have names that few programs can read; save it in Excel first"
        if any(b"purl.oclc.org/ooxml" in package.read(name) for name in package.namelist() if "workbook.xml" in name):
            return "it is saved as “Strict Open XML Spreadsheet”; as “Excel Workbook” it can be copied"
    return "it contains something that cannot be copied"


def _copy(source: Path, sheet_name: str, kind: OwnFileKind, edit: Callable[[Worksheet], None]) -> bytes:
    book = load_workbook(source, rich_text=True)
    edit(book[sheet_name])
    book.active = book.sheetnames.index(sheet_name)
    _escape_literals(book)
    mark_workbook(book, kind)
    saved = BytesIO()
    book.save(saved)
    return finish_package(source, saved)


def _escape_literals(book: Workbook) -> None:
    """Keep texts such as `_x0041_`: openpyxl removes the escape when reading and does not add it when writing."""
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "s" and _LITERAL_ESCAPE.search(str(cell.value)):
                    cell.value = _LITERAL_ESCAPE.sub("_x005F_", str(cell.value))
                    cell.data_type = "s"  # a text that begins with "=" is still a text


def _mark_problems(
    sheet: Worksheet, heading_row: int, headings: Sequence[str], key_heading: str, problems: Sequence[Problem]
) -> list[str]:
    """Mark the cells; return the location of each problem's cell."""
    places = _find_columns(sheet, heading_row, headings)
    key_place = places.get(_squeeze(key_heading), 1)
    cells = [_get_cell(sheet, problem.row, places.get(_squeeze(problem.column), key_place)) for problem in problems]
    by_cell: dict[Cell, list[Problem]] = {}
    for cell, problem in zip(cells, problems, strict=True):
        by_cell.setdefault(cell, []).append(problem)
    _raise_above_rules(sheet, {cell.coordinate: _mark(cell, found) for cell, found in by_cell.items()})
    return [f"{quote_sheetname(sheet.title)}!{cell.coordinate}" for cell in cells]


def _raise_above_rules(sheet: Worksheet, marked: Mapping[str, Severity]) -> None:
    """Show the marks above the user's colour scales and rules, which would cover the fill of a cell.

    Excel applies rules by priority, LibreOffice by their order in the file.
    """
    others = [(str(area.sqref), rule) for area in sheet.conditional_formatting for rule in area.rules]
    if not others:
        return
    sheet.conditional_formatting = ConditionalFormattingList()
    for priority, (severity, fill) in enumerate(_FILLS.items(), start=1):
        cells = " ".join(place for place, marked_severity in marked.items() if marked_severity is severity)
        if cells:
            style = DifferentialStyle(fill=PatternFill(bgColor=fill.fgColor))
            rule = Rule("expression", formula=["TRUE"], dxf=style, stopIfTrue=True, priority=priority)
            sheet.conditional_formatting.add(cells, rule)
    for cells, rule in others:
        rule.priority += len(_FILLS)
        sheet.conditional_formatting.add(cells, rule)


def _find_columns(sheet: Worksheet, heading_row: int, headings: Sequence[str]) -> dict[str, int]:
    """Return the column of each heading, from 1: its cell in the sheet, else its position among the headings."""
    places = {_squeeze(heading): place for place, heading in reversed(list(enumerate(headings, start=1)))}
    found = {_squeeze(str(cell.value)): cell.column for cell in reversed(sheet[heading_row]) if cell.value is not None}
    return places | found


def _squeeze(heading: str) -> str:
    return " ".join(heading.split())


def _get_cell(sheet: Worksheet, row: int, place: int) -> Cell:
    """Return the cell, or the top-left one of the merged cells that it is part of: only that one is shown."""
    cell = sheet.cell(row, place)
    if isinstance(cell, MergedCell):
        merged = next(area for area in sheet.merged_cells.ranges if cell.coordinate in area)
        cell = sheet.cell(merged.min_row, merged.min_col)
    assert isinstance(cell, Cell), "the top-left cell of a merged range is an ordinary one"
    return cell


def _mark(cell: Cell, problems: Sequence[Problem]) -> Severity:
    severity = Severity.ERROR if any(problem.severity is Severity.ERROR for problem in problems) else Severity.WARNING
    cell.fill = copy(_FILLS[severity])
    lines = [
        f"{problem.severity.value.capitalize()}: {end_sentence(problem.message)} {problem.remedy}".strip()
        for problem in problems
    ]
    if cell.comment:
        lines.insert(0, cell.comment.text)
    text = make_visible("\n\n".join(lines))[:_LONGEST_COMMENT]
    cell.comment = Comment(text, "bulkupdate", height=60 + 18 * (len(text) // 40), width=320)
    return severity
