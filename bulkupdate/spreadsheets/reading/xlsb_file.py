"""Read an .xlsb file record by record, as calamine gives error cells as blanks, and no formats."""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Iterator, Sequence

from bulkupdate.spreadsheets.reading.calamine_book import format_cell
from bulkupdate.spreadsheets.reading.cell_checks import LOST_DIGITS_FROM, Special, SpecialCell
from bulkupdate.spreadsheets.reading.number_format import code_of, shows_all_as_is, shows_texts_as_is
from bulkupdate.spreadsheets.reading.open_workbook import SheetMetadata, SheetRow
from bulkupdate.spreadsheets.reading.safe_zip import Package
from bulkupdate.spreadsheets.reading.xlsb_records import ERROR_NAMES, RecordType, read_records, read_rk, read_text

_DAMAGES = (ValueError, IndexError, struct.error, MemoryError)
_TYPES = frozenset(RecordType)


class XlsbWorkbook:
    """The workbook. Raises `InputFileError` where it is damaged."""

    def __init__(self, package: Package) -> None:
        self._package = package
        try:
            self._is_1904, self._entries = self._read_directory()
            self._codes = self._read_formats()
            self._shared = self._read_shared()
        except _DAMAGES as error:
            raise package.damaged_error() from error

    @property
    def sheets(self) -> Sequence[tuple[str, bool]]:
        return [(name, is_hidden) for name, _, is_hidden in self._entries]

    def open_sheet(self, name: str) -> XlsbSheet:
        part = next(part for each, part, _ in self._entries if each == name)
        sheet = XlsbSheet(self._codes, self._shared, is_1904=self._is_1904)
        try:
            for number, data in read_records(self._package.blocks(part)):
                if number in _TYPES:
                    sheet.take(number, data)
        except _DAMAGES as error:
            raise self._package.damaged_error() from error
        return sheet

    def _read_directory(self) -> tuple[bool, list[tuple[str, str, bool]]]:
        root = self._package.parse_xml("xl/_rels/workbook.bin.rels")
        targets = {
            each.get("Id", ""): each.get("Target", "") for each in root if each.get("Type", "").endswith("/worksheet")
        }
        is_1904, entries = False, []
        for number, data in read_records(self._package.blocks("xl/workbook.bin")):
            if number == RecordType.BOOK_PROPERTIES:
                is_1904 = bool(data[0] & 1)
            elif number == RecordType.SHEET_ENTRY:
                relation, end = read_text(data, 8)
                name, _ = read_text(data, end)
                target = targets.get(relation)
                if target:
                    part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
                    entries.append((name, part, data[0] != 0))
        return is_1904, entries

    def _read_formats(self) -> list[str]:
        own: dict[int, str] = {}
        numbers: list[int] = []
        is_inside = False
        for number, data in read_records(
            self._package.blocks("xl/styles.bin") if "xl/styles.bin" in self._package else ()
        ):
            if number == RecordType.FORMAT:
                own[struct.unpack_from("<H", data)[0]] = read_text(data, 2)[0]
            elif number in (RecordType.BEGIN_CELL_STYLES, RecordType.END_CELL_STYLES):
                is_inside = number == RecordType.BEGIN_CELL_STYLES
            elif number == RecordType.CELL_STYLE and is_inside:
                numbers.append(struct.unpack_from("<H", data, 2)[0])
        return [code_of(number, own) for number in numbers]

    def _read_shared(self) -> list[str]:
        part = "xl/sharedStrings.bin"
        records = read_records(self._package.blocks(part) if part in self._package else ())
        return [read_text(data, 1)[0] for number, data in records if number == RecordType.SHARED_ITEM]


class XlsbSheet:
    """One sheet of it, filled record by record."""

    def __init__(self, codes: Sequence[str], shared: Sequence[str], *, is_1904: bool) -> None:
        self.metadata = SheetMetadata(is_1904=is_1904)
        self.width = 0
        self._codes = codes
        self._shared = shared
        self._rows: list[tuple[int, dict[int, str]]] = []

    def rows(self, count: int | None = None) -> Iterator[SheetRow]:
        for number, cells in self._rows:
            if count is not None and number > count:
                return
            if cells:
                yield number, [cells.get(column, "") for column in range(max(cells) + 1)], ()

    def take(self, number: int, data: bytes) -> None:
        """Take one record of the sheet."""
        if number == RecordType.ROW:
            self._rows.append((struct.unpack_from("<I", data)[0] + 1, {}))
            self.metadata.hidden_rows += bool(data[11] & 0x10)
        elif RecordType.BLANK < number <= RecordType.FORMULA_ERROR or number == RecordType.RICH_STRING:
            self._take_cell(number, data)
        elif number == RecordType.COLUMN:
            first, last = struct.unpack_from("<II", data)
            if data[16] & 1 and last < 16_383:
                self.metadata.hidden_columns += max(0, last - first + 1)
        elif number == RecordType.MERGE:
            top, bottom, left, right = struct.unpack_from("<IIII", data)
            self.metadata.merges.append((top + 1, left, bottom + 1, right))

    def _take_cell(self, number: int, data: bytes) -> None:
        column, style = struct.unpack_from("<II", data)
        if not self._rows or column >= 16_384:
            raise ValueError("a cell stands outside the sheet")
        row = self._rows[-1][0]
        self.metadata.formulas += RecordType.FORMULA_STRING <= number <= RecordType.FORMULA_ERROR
        if number in (RecordType.ERROR, RecordType.FORMULA_ERROR):
            text = ERROR_NAMES.get(data[8], "#N/A")
            self.metadata.add_special(SpecialCell(row, column, Special.ERROR, text))
        elif number in (RecordType.RK, RecordType.REAL, RecordType.FORMULA_NUMBER):
            text = self._take_number(row, column, style & 0xFFFFFF, _number_of(number, data))
        else:
            text = self._text_of(number, data)
            code = self._code(style & 0xFFFFFF)
            if number not in (RecordType.BOOL, RecordType.FORMULA_BOOL) and not shows_texts_as_is(code):
                self.metadata.add_special(SpecialCell(row, column, Special.TEXT, format_code=code))
        if text:
            self._rows[-1][1][column] = text
            self.width = max(self.width, column + 1)

    def _code(self, style: int) -> str:
        return self._codes[style] if style < len(self._codes) else "General"

    def _take_number(self, row: int, column: int, style: int, number: float) -> str:
        code = self._code(style)
        if not shows_all_as_is(code) or abs(number) >= LOST_DIGITS_FROM:
            self.metadata.add_special(SpecialCell(row, column, Special.NUMBER, number=number, format_code=code))
        return format_cell(number)

    def _text_of(self, number: int, data: bytes) -> str:
        if number in (RecordType.BOOL, RecordType.FORMULA_BOOL):
            return "TRUE" if data[8] else "FALSE"
        if number == RecordType.SHARED_STRING:
            place: int = struct.unpack_from("<I", data, 8)[0]
            return self._shared[place]
        return read_text(data, 9 if number == RecordType.RICH_STRING else 8)[0]


def _number_of(number: int, data: bytes) -> float:
    if number == RecordType.RK:
        packed: int = struct.unpack_from("<I", data, 8)[0]
        return read_rk(packed)
    value: float = struct.unpack_from("<d", data, 8)[0]
    if value - value != 0:
        raise ValueError("a number is not finite")
    return value
