"""Scan a worksheet's XML once for what calamine does not report: errors, formulas, formats, hidden rows, merges.

calamine reports error cells and uncalculated formulas as blanks, and numbers without their formats. The scan searches
for tokens instead of parsing, as a sheet may have millions of cells, of which few are special. XML in an unusual style
is parsed (`xlsx_parse.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape

from openpyxl.utils.cell import column_index_from_string

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.number_format import shows_all_as_is, shows_integers_as_is, shows_texts_as_is
from bulkupdate.spreadsheets.reading.open_workbook import SheetMetadata
from bulkupdate.spreadsheets.reading.xlsx_cells import TEXT_TYPES, SheetScan, Styles, to_merge
from bulkupdate.spreadsheets.reading.xlsx_rows import ROW, cut_at_rows

MAX_MERGES = 200_000

_CELL = re.compile(rb"<c( [^>]*?)(?:/>|>(.*?)</c>)", re.DOTALL)
_ATTRIBUTE = re.compile(rb'(\w+)="([^"]*)"')
_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})$")
_VALUE = re.compile(rb"<v(?: [^>]*)?(?:/>|>([^<]*)</v>)")
_FORMULA = re.compile(rb"<f(?: [^>]*)?(?:/>|>([^<]*)</f>)")
_HIDDEN_ROW = re.compile(rb'<row [^>]*hidden="(?:1|true)"')
_HIDDEN_COLUMNS = re.compile(rb'<col ([^>]*hidden="(?:1|true)"[^>]*)>')
_HIDDEN_ZEROS = re.compile(rb'<sheetView [^>]*showZeros="(?:0|false)"')
_MERGE = re.compile(rb'<mergeCell [^>]*ref="([A-Z]+\d+:[A-Z]+\d+)"')
_ALWAYS = (rb' t="[ed]"', rb"<f[ >/]")


def scan_sheet(blocks: Iterable[bytes], styles: Styles) -> SheetMetadata:
    """Scan the XML of a sheet in the usual notation, given block by block.

    Raises `InputFileError` if a row is far too large.
    """
    return _Tokens(styles).scan(blocks)


class _Tokens:
    """A scan by tokens."""

    def __init__(self, styles: Styles) -> None:
        self._scan = SheetScan(styles)
        self._patterns = [re.compile(pattern) for pattern in (*_ALWAYS, *_style_patterns(styles))]

    def scan(self, blocks: Iterable[bytes]) -> SheetMetadata:
        """Scan the rows, and the XML before and after them."""
        rest, is_top = b"", True
        for rows, following in cut_at_rows(blocks):
            if rows and is_top:
                self._take_columns(rows[: rows.find(b"<row")])
                is_top = False
            self._take_rows(rows)
            rest = following
        self._scan.metadata.has_formats_by_rule = b"<cfRule" in rest
        self._take_merges(rest)
        return self._scan.metadata

    def _take_rows(self, rows: bytes) -> None:
        if b"hidden=" in rows:
            self._scan.metadata.hidden_rows += len(_HIDDEN_ROW.findall(rows))
        self._scan.take_rows(map(int, ROW.findall(rows)))
        starts = {start for pattern in self._patterns for start in _find_cells(pattern, rows)}
        for start in sorted(starts):
            self._take_cell(rows, start)

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
