"""Read an .xlsb file record by record, as calamine reports error cells as blanks, and no formats.

Source: [MS-XLSB], 2.1.4 (record), 2.3 (record numbers), 2.5 (structures).
"""

from __future__ import annotations

import posixpath
import struct
from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum

from bulkupdate.spreadsheets.reading.calamine_book import format_cell
from bulkupdate.spreadsheets.reading.cell_checks import LOST_DIGITS_FROM, Special, SpecialCell
from bulkupdate.spreadsheets.reading.number_format import code_of, shows_all_as_is, shows_texts_as_is
from bulkupdate.spreadsheets.reading.open_workbook import SheetMetadata, SheetRow
from bulkupdate.spreadsheets.reading.safe_zip import Package


class RecordType(IntEnum):
    """The records that are read, by number."""

    ROW = 0
    BLANK = 1
    RK = 2
    ERROR = 3
    BOOL = 4
    REAL = 5
    STRING = 6
    SHARED_STRING = 7
    FORMULA_STRING = 8
    FORMULA_NUMBER = 9
    FORMULA_BOOL = 10
    FORMULA_ERROR = 11
    SHARED_ITEM = 19
    FORMAT = 44
    CELL_STYLE = 47
    COLUMN = 60
    RICH_STRING = 62
    BOOK_PROPERTIES = 153
    SHEET_ENTRY = 156
    MERGE = 176
    BEGIN_CELL_STYLES = 617
    END_CELL_STYLES = 618


_ERROR_NAMES = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip

_MAX_HEADER_BYTES = 6
_DAMAGES = (ValueError, IndexError, struct.error, MemoryError)


class XlsbWorkbook:
    """The workbook. Raises `InputFileError` if it is damaged."""

    def __init__(self, package: Package) -> None:
        self._package = package
        try:
            self._is_1904, self._entries = self._read_directory()
            self._codes = self._read_formats()
            self._shared = self._read_shared()
        except _DAMAGES as error:
            raise package.damaged_error() from error
        self.sheets: Sequence[tuple[str, bool]] = [(name, is_hidden) for name, _, is_hidden in self._entries]

    def open_sheet(self, name: str) -> XlsbSheet:
        part = next(part for entry, part, _ in self._entries if entry == name)
        sheet = XlsbSheet(self._codes, self._shared, is_1904=self._is_1904)
        try:
            for number, data in _read_records(self._package.blocks(part)):
                sheet.take(number, data)
        except _DAMAGES as error:
            raise self._package.damaged_error() from error
        return sheet

    def _read_directory(self) -> tuple[bool, list[tuple[str, str, bool]]]:
        root = self._package.parse_xml("xl/_rels/workbook.bin.rels")
        parts = {
            item.get("Id", ""): posixpath.normpath(posixpath.join("/xl", item.get("Target", ""))).lstrip("/")
            for item in root
            if item.get("Type", "").endswith("/worksheet")
        }
        is_1904, entries = False, []
        for number, data in _read_records(self._package.blocks("xl/workbook.bin")):
            if number == RecordType.BOOK_PROPERTIES:
                is_1904 = bool(data[0] & 1)
            elif number == RecordType.SHEET_ENTRY:
                relation, end = _read_text(data, 8)
                name, _ = _read_text(data, end)
                if relation in parts:
                    entries.append((name, parts[relation], data[0] != 0))
        return is_1904, entries

    def _read_formats(self) -> list[str]:
        own: dict[int, str] = {}
        numbers: list[int] = []
        is_inside = False
        for number, data in self._read_part("xl/styles.bin"):
            if number == RecordType.FORMAT:
                own[struct.unpack_from("<H", data)[0]] = _read_text(data, 2)[0]
            elif number in (RecordType.BEGIN_CELL_STYLES, RecordType.END_CELL_STYLES):
                is_inside = number == RecordType.BEGIN_CELL_STYLES
            elif number == RecordType.CELL_STYLE and is_inside:
                numbers.append(struct.unpack_from("<H", data, 2)[0])
        return [code_of(number, own) for number in numbers]

    def _read_shared(self) -> list[str]:
        records = self._read_part("xl/sharedStrings.bin")
        return [_read_text(data, 1)[0] for number, data in records if number == RecordType.SHARED_ITEM]

    def _read_part(self, part: str) -> Iterator[tuple[int, bytes]]:
        """Yield the records of a part; none if the file does not have it."""
        return _read_records(self._package.blocks(part) if part in self._package else ())


class XlsbSheet:
    """A sheet of the workbook, filled record by record."""

    def __init__(self, codes: Sequence[str], shared: Sequence[str], *, is_1904: bool) -> None:
        self.metadata = SheetMetadata(is_1904=is_1904)
        self.width = 0
        self._codes = codes
        self._shared = shared
        self._rows: list[tuple[int, dict[int, str]]] = []

    def rows(self, count: int | None = None) -> Iterator[SheetRow]:
        for number, cells in self._rows:
            if cells and (count is None or number <= count):
                yield number, [cells.get(column, "") for column in range(max(cells) + 1)], ()

    def take(self, number: int, data: bytes) -> None:
        """Handle one record of the sheet."""
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
            raise ValueError("a cell is outside the sheet")
        row = self._rows[-1][0]
        self.metadata.formulas += RecordType.FORMULA_STRING <= number <= RecordType.FORMULA_ERROR
        if number in (RecordType.ERROR, RecordType.FORMULA_ERROR):
            text = _ERROR_NAMES.get(data[8], "#N/A")
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
            index: int = struct.unpack_from("<I", data, 8)[0]
            return self._shared[index]
        return _read_text(data, 9 if number == RecordType.RICH_STRING else 8)[0]


def _number_of(number: int, data: bytes) -> float:
    if number == RecordType.RK:
        return _read_rk(struct.unpack_from("<I", data, 8)[0])
    value: float = struct.unpack_from("<d", data, 8)[0]
    if value - value != 0:
        raise ValueError("a number is not finite")
    return value


def _read_records(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the content of each record. Raises `ValueError` if the last one is cut off."""
    rest = b""
    for block in blocks:
        data = rest + block
        at = 0
        while len(data) - at >= _MAX_HEADER_BYTES:
            number, size, start = _read_header(data, at)
            if start + size > len(data):
                break
            yield number, data[start : start + size]
            at = start + size
        rest = data[at:]
    while rest:
        number, size, start = _read_header(rest + bytes(_MAX_HEADER_BYTES), 0)
        if start + size > len(rest):
            raise ValueError("the last record is cut off")
        yield number, rest[start : start + size]
        rest = rest[start + size :]


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    """Return a text that is stored after its length, and where it ends; a missing text is empty."""
    (count,) = struct.unpack_from("<I", data, at)
    if count == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * count
    if end > len(data):
        raise ValueError("a text is cut off")
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


def _read_rk(packed: int) -> float:
    """Return a number in short form: 30 bits of a whole number or of a double's upper part, perhaps in hundredths."""
    if packed & 2:
        number = float((packed >> 2) - (1 << 30 if packed & 0x80000000 else 0))
    else:
        (number,) = struct.unpack("<d", b"\0\0\0\0" + struct.pack("<I", packed & 0xFFFFFFFC))
    return number / 100 if packed & 1 else number


def _read_header(data: bytes, at: int) -> tuple[int, int, int]:
    number = data[at]
    at += 1
    if number & 0x80:
        number = (number & 0x7F) | (data[at] & 0x7F) << 7
        at += 1
    size = 0
    for shift in (0, 7, 14, 21):
        part = data[at]
        at += 1
        size |= (part & 0x7F) << shift
        if not part & 0x80:
            break
    return number, size, at
