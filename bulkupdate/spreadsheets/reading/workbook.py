"""Read an Excel or OpenDocument workbook into a `Sheet`: choose the sheet, and decide what its cells mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME, Field
from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.cell_checks import Special, SpecialCell, find_lost_digits, judge_text, resolve_cell
from bulkupdate.spreadsheets.reading.frame_builder import FrameBuilder
from bulkupdate.spreadsheets.reading.header_row import (
    SEARCHED_ROWS,
    HeaderRow,
    find_header_row,
    missing_key_error,
    refuse_second_header,
)
from bulkupdate.spreadsheets.reading.open_workbook import Merge, OpenSheet, SheetMetadata, Workbook
from bulkupdate.spreadsheets.reading.sheet import Finding, ReadOptions, Sheet
from bulkupdate.spreadsheets.reading.sheet_finish import finish_sheet
from bulkupdate.text import quote_argument

MOST_MERGED_CELLS = 100_000


def read_workbook(path: Path, workbook: Workbook, options: ReadOptions) -> Sheet:
    """Read the sheet that is named, or the only one with a key column. Raises `InputFileError`."""
    name, sheet, heading = _choose_sheet(path, workbook, options)
    refuse_second_header(sheet.rows(SEARCHED_ROWS), heading, options.heading_map, f"The sheet {name}")
    fields = [FIELD_BY_NAME[known] if known else None for known in heading.known]
    texts, findings = _judge_cells(sheet.facts, heading, fields, options)
    width = len(heading.headings)
    builder = FrameBuilder(width, options)
    formatted = _formatted_texts(sheet.facts, width)
    for number, cells in sheet.rows():
        if number > heading.number:
            fitted = _fit(cells, width, texts.get(number))
            if number in formatted:
                fitted, found = _format_texts(fitted, formatted[number])
                findings.extend(each for each in found if each.column is None or fields[each.column])
            builder.add(number, fitted)
    frame, row_numbers = builder.build()
    findings.extend(_judge_long_numbers(sheet.facts, heading, frame, row_numbers))
    findings.extend(_judge_merges(sheet.facts.merges, heading, row_numbers))
    return finish_sheet(frame, row_numbers, heading, findings, _notes(sheet.facts, options), name)


def _choose_sheet(path: Path, workbook: Workbook, options: ReadOptions) -> tuple[str, OpenSheet, HeaderRow]:
    """Return the named sheet, or the only one with a key column.

    A sheet that has no other field beside it (a list of the fields, as in our Instructions) gives way to one that has.
    """
    if options.sheet is not None:
        return _named_sheet(path, workbook, options.sheet, options)
    first_row: Sequence[str] = ()
    found: list[tuple[str, OpenSheet, HeaderRow]] = []
    for name, is_hidden in workbook.sheets:
        if is_hidden:
            continue
        sheet = workbook.open_sheet(name)
        heading, top = _look_for_headings(sheet, options)
        first_row = first_row or top
        if heading:
            found.append((name, sheet, heading))
    tables = [each for each in found if each[2].known_count > 1] or found
    if len(tables) > 1:
        names = [name for name, _, _ in tables]
        raise InputFileError(
            f"{path.name} has {len(names)} sheets with a column {CUSTOMER_ID.name}: {', '.join(names)}.",
            remedy=f"Say which one is meant: `--sheet {quote_argument(names[0])}`.",
        )
    if not tables:
        raise _refuse_workbook(path, workbook, first_row)
    return tables[0]


def _named_sheet(path: Path, workbook: Workbook, wanted: str, options: ReadOptions) -> tuple[str, OpenSheet, HeaderRow]:
    names = [name for name, _ in workbook.sheets]
    name = next((each for each in names if each == wanted), None) or next(
        (each for each in names if each.strip().casefold() == wanted.strip().casefold()), None
    )
    if name is None:
        raise InputFileError(f"{path.name} has no sheet {wanted!r}. Its sheets: {', '.join(names)}.")
    sheet = workbook.open_sheet(name)
    heading, top = _look_for_headings(sheet, options)
    if heading is None:
        raise missing_key_error(f"The sheet {name!r}", top)
    return name, sheet, heading


def _look_for_headings(sheet: OpenSheet, options: ReadOptions) -> tuple[HeaderRow | None, Sequence[str]]:
    """Return the row of headings if it has a key column, and the first row that has any text."""
    head = list(sheet.rows(SEARCHED_ROWS))
    top = next((cells for _, cells in head if any(cell.strip() for cell in cells)), ())
    heading = find_header_row(head, options.heading_map)
    if heading is None or heading.key_column is None:
        return None, top
    return heading.widen(sheet.width), top


def _refuse_workbook(path: Path, workbook: Workbook, first_row: Sequence[str]) -> InputFileError:
    error = missing_key_error(path.name, first_row)
    hidden = [name for name, is_hidden in workbook.sheets if is_hidden]
    if hidden:
        return InputFileError(
            f"{error} Its hidden sheets were not looked at: {', '.join(hidden)}.",
            remedy=f"{error.remedy} Or name one: --sheet.",
        )
    return error


def _judge_cells(
    facts: SheetMetadata, heading: HeaderRow, fields: Sequence[Field | None], options: ReadOptions
) -> tuple[dict[int, list[tuple[int, str]]], list[Finding]]:
    """Return the texts of the special cells below the headings, by row, and what was found in them."""
    texts: dict[int, list[tuple[int, str]]] = defaultdict(list)
    findings: list[Finding] = []
    for cell in facts.special_cells:
        if cell.row <= heading.number or cell.column >= len(fields) or cell.special is Special.TEXT:
            continue
        text, finding = resolve_cell(cell, fields[cell.column], is_1904=facts.is_1904, numbers=options.numbers)
        texts[cell.row].append((cell.column, text))
        if finding:
            findings.append(finding)
    return texts, findings


def _formatted_texts(facts: SheetMetadata, width: int) -> dict[int, list[SpecialCell]]:
    """Return the text cells under a format that shows more or less than the text, by row."""
    cells: dict[int, list[SpecialCell]] = defaultdict(list)
    for cell in facts.special_cells:
        if cell.special is Special.TEXT and cell.column < width:
            cells[cell.row].append(cell)
    return cells


def _format_texts(row: Sequence[str], cells: Sequence[SpecialCell]) -> tuple[Sequence[str], list[Finding]]:
    """Return the row with its formatted texts as they show, and what was found in them."""
    shown = list(row)
    findings = []
    for cell in cells:
        shown[cell.column], finding = judge_text(cell, shown[cell.column])
        if finding:
            findings.append(finding)
    return shown, findings


def _judge_long_numbers(
    facts: SheetMetadata, heading: HeaderRow, frame: pd.DataFrame, row_numbers: np.ndarray
) -> list[Finding]:
    places = {(cell.row, cell.column) for cell in facts.special_cells} if facts.long_numbers else ()
    return [
        find_lost_digits(row, column, str(frame.iat[int(np.searchsorted(row_numbers, row)), column]))
        for row, column in sorted(facts.long_numbers.difference(places))
        if row > heading.number and heading.known[column]
    ]


def _fit(cells: Sequence[str], width: int, special: Sequence[tuple[int, str]] | None) -> Sequence[str]:
    if len(cells) == width and not special:
        return cells
    fitted = [*cells[:width], *[""] * (width - len(cells))]
    for column, text in special or ():
        fitted[column] = text
    return fitted


def _judge_merges(merges: Sequence[Merge], heading: HeaderRow, row_numbers: np.ndarray) -> list[Finding]:
    """Find merged cells: all show one value, but only the first holds it; the others would mean "no change"."""
    known = [column for column, name in enumerate(heading.known) if name]
    findings: list[Finding] = []
    for first_row, first_column, last_row, last_column in merges:
        covered = row_numbers[np.searchsorted(row_numbers, first_row) : np.searchsorted(row_numbers, last_row, "right")]
        columns = [column for column in known if first_column <= column <= last_column]
        for row, column in product(covered.tolist(), columns):
            if (row, column) != (first_row, first_column):
                findings.append(_merged(row, column))
        if len(findings) > MOST_MERGED_CELLS:
            raise InputFileError("The sheet has too many merged cells.", remedy="Unmerge all cells and save the file.")
    return findings


def _merged(row: int, column: int) -> Finding:
    return Finding(
        row, column, "", "merged", "The cell is part of a merged cell: it shows a value but holds none.",
        "Unmerge the cells and type the value into each row.",
    )  # fmt: skip


def _notes(facts: SheetMetadata, options: ReadOptions) -> list[str]:
    counts = (
        (facts.hidden_rows, "hidden row was read", "hidden rows were read"),
        (facts.hidden_columns, "hidden column was read", "hidden columns were read"),
        (facts.formulas, "formula was read by its stored value", "formulas were read by their stored values"),
    )
    notes = [f"{count:,} {one if count == 1 else many}." for count, one, many in counts if count]
    if options.encoding:
        notes.append("An encoding applies to text files only; a workbook names its own.")
    if facts.hides_zeros:
        notes.append("The sheet shows zeros as blanks (an option of the sheet); a cell that holds 0 was read as 0.")
    return notes
