"""Scan a worksheet's XML once for what calamine does not report: errors, formulas, formats, hidden rows, merges.

calamine reports error cells and uncalculated formulas as blanks, and numbers without their formats. The scan also finds
the extent of the sheet, before calamine allocates all of it. It searches for tokens instead of parsing, as a sheet may
have millions of cells, of which few are special. XML in an unusual style is parsed (`xlsx_parse.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from itertools import chain

from openpyxl.utils.cell import column_index_from_string

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.number_format import shows_all_as_is, shows_integers_as_is, shows_texts_as_is
from bulkupdate.spreadsheets.reading.xlsx_cells import TEXT_TYPES, SheetScan, Styles, to_merge
from bulkupdate.spreadsheets.reading.xlsx_parse import parse_sheet

MAX_ROW_BYTES = 32 << 20
MAX_MERGES = 200_000

_CELL = re.compile(rb"<c( [^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})$")
_VALUE = re.compile(rb"<v(?: [^>]*)?(?:/>|>([^<]*)</v>)")
_FORMULA = re.compile(rb"<f(?: [^>]*)?(?:/>|>([^<]*)</f>)")
_TEXT = re.compile(rb">([^<]+)<")
_FAR_COLUMN = re.compile(rb'<c r="([A-Z]{2,3})\d+"[^>/]*>')
_ROW = re.compile(rb'<row(?: [^>]*)? r="(\d{1,7})"')
_HIDDEN_ROW = re.compile(rb'<row [^>]*hidden="(?:1|true)"')
_HIDDEN_COLUMNS = re.compile(rb'<col ([^>]*hidden="(?:1|true)"[^>]*)>')
_HIDDEN_ZEROS = re.compile(rb'<sheetView [^>]*showZeros="(?:0|false)"')
_MERGE = re.compile(rb'<mergeCell [^>]*ref="([A-Z]+\d+:[A-Z]+\d+)"')
_ALWAYS = (rb' t="[ed]"', rb"<f[ >/]")


def scan_sheet(blocks: Iterator[bytes], styles: Styles) -> SheetScan:
    """Scan the XML of a sheet, given block by block.

    Raises `InputFileError` if a row is far too large, or if XML that has to be parsed is not well formed.
    """
    first = next(blocks, b"")
    blocks = chain((first,), blocks)
    if _is_plain(first):
        return _Tokens(styles).scan(blocks)
    return parse_sheet(blocks, styles)


def _is_plain(xml: bytes) -> bool:
    """Return whether the XML is in the usual style: no prefixes, double quotes, every cell with its reference."""
    if not re.search(rb"<worksheet[ >]", xml[:4096]) or b"<![CDATA[" in xml or b"<!--" in xml:
        return False
    return not re.search(rb"<c(?:>|/>| (?![^>]*\br=\")|[^>]*=')|<row(?:>|/>| (?![^>]*\br=\"))", xml)


class _Tokens:
    """A scan by tokens."""

    def __init__(self, styles: Styles) -> None:
        self._scan = SheetScan(styles)
        self._patterns = [re.compile(pattern) for pattern in (*_ALWAYS, *_style_patterns(styles))]

    def scan(self, blocks: Iterable[bytes]) -> SheetScan:
        """Scan the rows in chunks that end with a row, and the XML before and after them."""
        rest, is_top, is_tail = b"", True, False
        for block in blocks:
            chunk = rest + block
            end = 0 if is_tail else chunk.rfind(b"</row>") + len(b"</row>")
            if end < len(b"</row>"):
                end = 0
            rows, rest = chunk[:end], chunk[end:]
            if len(rest) > MAX_ROW_BYTES:
                raise InputFileError(
                    "A row of the sheet is far larger than any spreadsheet allows.",
                    remedy="Open the file in Excel and save it again.",
                )
            if rows and is_top:
                self._take_columns(rows[: rows.find(b"<row")])
                is_top = False
            self._take_rows(rows)
            is_tail = is_tail or b"</sheetData>" in rest
        self._scan.metadata.has_formats_by_rule = b"<cfRule" in rest
        self._take_merges(rest)
        return self._scan

    def _take_rows(self, rows: bytes) -> None:
        if b"hidden=" in rows:
            self._scan.metadata.hidden_rows += len(_HIDDEN_ROW.findall(rows))
        self._scan.take_rows(map(int, _ROW.findall(rows)))
        starts = {start for pattern in self._patterns for start in _find_cells(pattern, rows)}
        for start in sorted(starts):
            self._take_cell(rows, start)
        self._take_extent(rows, b"</v>")
        has_inline = b"<is>" in rows
        if has_inline:
            self._take_extent(rows, b"</is>")
        if has_inline or b't="str"' in rows:
            self._scan.extent.text_bytes += sum(map(len, _TEXT.findall(rows)))

    def _take_extent(self, rows: bytes, end_of_value: bytes) -> None:
        """Count the filled cells, and extend the range to the first and the last. Columns up to Z need no search."""
        count = rows.count(end_of_value)
        if not count:
            return
        extent = self._scan.extent
        extent.filled += count
        far = max((column_index_from_string(name.decode()) - 1 for name in set(_FAR_COLUMN.findall(rows))), default=25)
        for position in (rows.find(end_of_value), rows.rfind(end_of_value)):
            row = _ROW.match(rows, max(0, rows.rfind(b"<row", 0, position)))
            if row:
                extent.reach(int(row[1]), far)

    def _take_cell(self, rows: bytes, start: int) -> None:
        match = _CELL.match(rows, start)
        if not match:
            return
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        reference = _REFERENCE.match(attributes.get(b"r", b"").decode("ascii", "replace"))
        if not reference:
            return
        inner = match[2] or b""
        formula, value = _FORMULA.search(inner), _VALUE.search(inner)
        style = attributes.get(b"s", b"0")
        self._scan.take_cell(
            int(reference[2]),
            column_index_from_string(reference[1]) - 1,
            (int(style) if style.isdigit() else 0, attributes.get(b"t", b"n").decode("ascii", "replace")),
            None if formula is None else _decode(formula[1] or b""),
            None if value is None else _decode(value[1] or b""),
        )

    def _take_columns(self, xml: bytes) -> None:
        self._scan.metadata.hides_zeros = bool(_HIDDEN_ZEROS.search(xml))
        for match in _HIDDEN_COLUMNS.finditer(xml):
            attributes = dict(_ATTRIBUTE.findall(match[1]))
            self._scan.metadata.hidden_columns += _count_columns(
                attributes.get(b"min", b"1"), attributes.get(b"max", b"1")
            )

    def _take_merges(self, xml: bytes) -> None:
        merges = self._scan.metadata.merges
        merges.extend(to_merge(reference.decode()) for reference in _MERGE.findall(xml))
        if len(merges) > MAX_MERGES:
            raise InputFileError("The sheet has too many merged cells.", remedy="Unmerge all cells and save the file.")


def _style_patterns(styles: Styles) -> list[bytes]:
    """Return patterns of filled cells whose style does not show numbers unchanged; blank cells do not match."""
    always = [
        str(style)
        for style, code in enumerate(styles.codes)
        if not (shows_all_as_is(code) or shows_integers_as_is(code))
    ]
    fractions = [str(style) for style, code in enumerate(styles.codes) if shows_integers_as_is(code)]
    texts = [str(style) for style, code in enumerate(styles.codes) if not shows_texts_as_is(code)]
    patterns = []
    if texts:
        kinds = "|".join(TEXT_TYPES)
        patterns.append(f' s="(?:{"|".join(texts)})"[^>]* t="(?:{kinds})"'.encode())
        patterns.append(f' t="(?:{kinds})"[^>]* s="(?:{"|".join(texts)})"'.encode())
    if always:
        no_text = r'(?! t="(?:s|str|inlineStr|b)")'
        patterns.append(f' s="(?:{"|".join(always)})"{no_text}[^>/]*>(?!</c>)'.encode())
    if fractions:
        patterns.append(f' s="(?:{"|".join(fractions)})"[^>/]*><v>-?\\d*[.eE]'.encode())
    return patterns


def _find_cells(pattern: re.Pattern[bytes], rows: bytes) -> Iterator[int]:
    """Yield where the cells start in which the pattern is found."""
    for match in pattern.finditer(rows):
        start = rows.rfind(b"<c ", 0, match.start() + 1)
        if (
            start >= 0
            and rows.find(b"</c>", start, match.start()) < 0
            and rows.rfind(b"<row", start, match.start() + 1) < 0
        ):
            yield start


def _count_columns(first: bytes, last: bytes) -> int:
    """Count hidden columns, except those up to the sheet's edge, which hold no data."""
    if not (first.isdigit() and last.isdigit()) or int(last) >= 16_384:
        return 0
    return max(0, int(last) - int(first) + 1)


def _decode(text: bytes) -> str:
    return unescape(text.decode("utf-8", "replace"))
