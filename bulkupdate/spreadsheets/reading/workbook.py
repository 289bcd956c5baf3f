"""Read an Excel or OpenDocument workbook into a `Sheet`: choose the sheet, and decide what its cells mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bulkupdate.customers.fields import CUSTOMER_ID
from bulkupdate.customers.headings import HeaderRow, missing_key_error
from bulkupdate.customers.models import Finding
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.cell_checks import LOST_DIGITS, Special, SpecialCell, resolve_cell, resolve_text
from bulkupdate.spreadsheets.reading.frame_builder import FrameBuilder
from bulkupdate.spreadsheets.reading.header_row import SEARCHED_ROWS, find_header_row
from bulkupdate.spreadsheets.reading.open_workbook import Merge, OpenSheet, SheetMetadata, SheetRow, Workbook
from bulkupdate.spreadsheets.reading.sheet import CellFinding, ReadOptions, Sheet, SheetTop, make_sheet
from bulkupdate.text import pluralize, quote_argument

MAX_MERGED_CELLS = 100_000
_MERGED = Finding.error(ProblemCode.MERGED)


def read_workbook(path: Path, workbook: Workbook, options: ReadOptions) -> Sheet:
    """Read the named sheet, or the only one with a key column. Raises `InputFileError`."""
    name, sheet, header = _choose_sheet(path, workbook, options)
    resolver = _CellResolver(header, sheet.metadata, options)
    builder = FrameBuilder(len(header.headings), options)
    for row in sheet.rows():
        if row[0] > header.number:
            builder.add(row[0], resolver.resolve_row(row))
    frame, row_numbers = builder.build()
    findings = [*resolver.findings, *_find_merged(sheet.metadata.merges, header, row_numbers)]
    return make_sheet(frame, row_numbers, header, findings, _note(sheet.metadata, options), name)


class KeptSheets:
    """A workbook whose sheets are opened once each, however often they are asked for."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._opened: dict[str, OpenSheet] = {}

    @property
    def sheets(self) -> Sequence[tuple[str, bool]]:
        """The names of the sheets, and whether each is hidden."""
        return self._workbook.sheets

    def open_sheet(self, name: str) -> OpenSheet:
        """Open a sheet, or return it if it is open."""
        if name not in self._opened:
            self._opened[name] = self._workbook.open_sheet(name)
        return self._opened[name]

    def read_tops(self, _encoding: str | None, wanted: str | None) -> list[SheetTop]:
        """Return the tops of the visible sheets, or of the one that is wanted; see `ReadTops`."""
        tops = []
        for name, is_hidden in self.sheets:
            if is_hidden if wanted is None else name != wanted:
                continue
            with suppress(InputFileError):  # if it is to be read, reading says what is wrong with it
                tops.append(SheetTop(name, _read_top(self.open_sheet(name))))
        return tops


def _read_top(sheet: OpenSheet) -> list[tuple[int, Sequence[str]]]:
    return [(number, cells) for number, cells, _ in sheet.rows(SEARCHED_ROWS)]


class _Table(NamedTuple):
    name: str
    sheet: OpenSheet
    header: HeaderRow


def _choose_sheet(path: Path, workbook: Workbook, options: ReadOptions) -> _Table:
    """Return the named sheet, or the only one with a key column.

    A sheet with a key column and no other field (such as the list of fields on our sheet Instructions) counts only if
    there is no better one.
    """
    if options.sheet is not None:
        return _open_named_sheet(path, workbook, options.sheet, options)
    first_row: Sequence[str] = ()
    found: list[_Table] = []
    for name, is_hidden in workbook.sheets:
        if is_hidden:
            continue
        sheet = workbook.open_sheet(name)
        header, top = _search_headings(sheet, options)
        first_row = first_row or top
        if header:
            found.append(_Table(name, sheet, header))
    tables = [table for table in found if table.header.field_count > 1] or found
    if len(tables) > 1:
        names = [table.name for table in tables]
        raise InputFileError(
            f"{path.name} has {len(names)} sheets with a column {CUSTOMER_ID.name}: {', '.join(names)}.",
            remedy=f"Say which one is meant: `--sheet {quote_argument(names[0])}`.",
        )
    if not tables:
        raise _no_table_error(path, workbook, first_row, options)
    return tables[0]


def _open_named_sheet(path: Path, workbook: Workbook, wanted: str, options: ReadOptions) -> _Table:
    names = [name for name, _ in workbook.sheets]
    alike = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    name = wanted if wanted in names else next(iter(alike), None)
    if name is None:
        nearest = get_close_matches(wanted, names, n=1, cutoff=0) or names
        raise InputFileError(
            f"{path.name} has no sheet “{wanted}”. Its sheets: {', '.join(names)}.",
            remedy=f"Name one of them: `--sheet {quote_argument(nearest[0])}`." if nearest else "Add a sheet.",
        )
    sheet = workbook.open_sheet(name)
    header, top = _search_headings(sheet, options)
    if header is None:
        raise missing_key_error(f"The sheet “{name}”", top, options.heading_map, rows=SEARCHED_ROWS, key=options.key)
    return _Table(name, sheet, header)


def _search_headings(sheet: OpenSheet, options: ReadOptions) -> tuple[HeaderRow | None, Sequence[str]]:
    """Return the row of headings if it has a key column, and the first row that has any text."""
    rows = _read_top(sheet)
    top = next((cells for _, cells in rows if any(cell.strip() for cell in cells)), ())
    header = find_header_row(rows, options.heading_map)
    if header is None or header.key_column is None:
        return None, top
    return header.resize(max(sheet.width, len(header.headings))), top


def _no_table_error(
    path: Path, workbook: Workbook, first_row: Sequence[str], options: ReadOptions
) -> InputFileError:  # fmt: skip
    error = missing_key_error(path.name, first_row, options.heading_map, rows=SEARCHED_ROWS, key=options.key)
    hidden = [name for name, is_hidden in workbook.sheets if is_hidden]
    if not hidden:
        return error
    return InputFileError(
        f"{error} Its hidden sheets were not searched: {', '.join(hidden)}.",
        remedy=f"{error.remedy} If a hidden sheet is meant, name it: `--sheet {quote_argument(hidden[0])}`.",
    )


class _CellResolver:
    """Decides what the cells below the headings mean; `findings` grow with the rows resolved."""

    def __init__(self, header: HeaderRow, metadata: SheetMetadata, options: ReadOptions) -> None:
        self.findings: list[CellFinding] = []
        self._fields = header.fields
        self._texts: dict[int, dict[int, str]] = defaultdict(dict)
        self._formatted_texts: dict[int, list[SpecialCell]] = defaultdict(list)
        for cell in metadata.special_cells:
            if cell.row <= header.number or cell.column >= len(self._fields):
                continue
            if cell.special is Special.TEXT:
                self._formatted_texts[cell.row].append(cell)
                continue
            text, finding = resolve_cell(
                cell, self._fields[cell.column], is_1904=metadata.is_1904, numbers=options.numbers
            )
            self._texts[cell.row][cell.column] = text
            self._add(cell.row, cell.column, finding)

    def resolve_row(self, row: SheetRow) -> Sequence[str]:
        """Return the texts of a row, one for each heading."""
        number, cells, long_numbers = row
        width = len(self._fields)
        texts = self._texts.get(number, {})
        formatted = self._formatted_texts.get(number, ())
        if len(cells) != width or texts or formatted:
            cells = [*cells[:width], *[""] * (width - len(cells))]
            for column, text in texts.items():
                cells[column] = text
            for cell in formatted:
                cells[cell.column], finding = resolve_text(cell, cells[cell.column])
                self._add(number, cell.column, finding)
        for column in long_numbers:
            if column < width and column not in texts:
                self._add(number, column, LOST_DIGITS)
        return cells

    def _add(self, row: int, column: int, finding: Finding | None) -> None:
        """Keep a finding, unless it is about a column that is not sent."""
        if finding and self._fields[column]:
            self.findings.append(CellFinding(row, column, finding))


def _find_merged(merges: Sequence[Merge], header: HeaderRow, row_numbers: np.ndarray) -> Iterator[CellFinding]:
    """Find merged cells: all show one value, but only the first holds it; the others would count as blank."""
    known = [column for column, field in enumerate(header.fields) if field]
    count = 0
    for first_row, first_column, last_row, last_column in merges:
        covered = row_numbers[np.searchsorted(row_numbers, first_row) : np.searchsorted(row_numbers, last_row, "right")]
        columns = [column for column in known if first_column <= column <= last_column]
        for row, column in product(covered.tolist(), columns):
            if (row, column) != (first_row, first_column):
                yield CellFinding(row, column, _MERGED)
                count += 1
            if count > MAX_MERGED_CELLS:
                raise InputFileError(
                    "The sheet has too many merged cells.", remedy="Unmerge all cells and save the file."
                )


def _note(metadata: SheetMetadata, options: ReadOptions) -> list[str]:
    notes = []
    for count, noun in ((metadata.hidden_rows, "hidden row"), (metadata.hidden_columns, "hidden column")):
        if count:
            notes.append(f"{pluralize(count, noun)} {'was' if count == 1 else 'were'} read.")
    if metadata.formulas == 1:
        notes.append("1 formula was read by its stored value.")
    elif metadata.formulas:
        notes.append(f"{metadata.formulas:,} formulas were read by their stored values.")
    if options.encoding:
        notes.append("An encoding applies to text files only; a workbook names its own.")
    if metadata.hides_zeros:
        notes.append("The sheet shows zeros as blanks (an option of the sheet); a cell that holds 0 was read as 0.")
    if metadata.has_formats_by_rule:
        notes.append("Number formats of conditional formatting were ignored; the cells' own formats count.")
    return notes
