"""Parse the XML of a worksheet, or of the shared texts, in full if it is not in Excel's style."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from xml.parsers import expat

import numpy as np
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string
from openpyxl.utils.exceptions import CellCoordinatesException

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.open_workbook import SheetMetadata
from bulkupdate.spreadsheets.reading.xlsx_cells import Extent, SheetScan, Styles, to_merge

MAX_TEXT = 10_000_000

_TAGS_WITH_TEXT = ("v", "f", "t", "is")


class ParsedSheet(NamedTuple):
    """The range of a sheet's filled cells, and what calamine does not report."""

    extent: Extent
    metadata: SheetMetadata


def parse_sheet(blocks: Iterable[bytes], styles: Styles) -> ParsedSheet:
    """Parse the XML of a sheet. Raises `InputFileError` if it is not well formed."""
    sheet, parser = _Sheet(styles), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = sheet.start
    parser.EndElementHandler = sheet.end
    parser.CharacterDataHandler = sheet.text
    _parse(parser, blocks)
    return ParsedSheet(sheet.extent, sheet.scan.metadata)


def parse_entries(blocks: Iterable[bytes]) -> np.ndarray:
    """Return the bytes of every shared text up to its end tag, in order.

    Raises `InputFileError` if the XML is not well formed, or has one entry within another.
    """
    lengths: list[int] = []
    begun: list[int] = []
    parser = expat.ParserCreate()

    def start(name: str, _attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "si":
            if begun:
                raise ValueError("an entry within another")
            begun.append(parser.CurrentByteIndex)

    def end(name: str) -> None:
        if name.rpartition(":")[2] == "si":
            lengths.append(parser.CurrentByteIndex - begun.pop())

    parser.StartElementHandler, parser.EndElementHandler = start, end
    _parse(parser, blocks)
    return np.array(lengths, np.int64)


def _parse(parser: expat.XMLParserType, blocks: Iterable[bytes]) -> None:
    try:
        for block in blocks:
            parser.Parse(block)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError, CellCoordinatesException) as error:
        raise InputFileError(
            "A sheet of the file is damaged: its XML is not well formed.", remedy="Open it in Excel and save it again."
        ) from error


class _Sheet:
    """The handlers of the parser, and their state."""

    def __init__(self, styles: Styles) -> None:
        self.scan = SheetScan(styles)
        self.extent = Extent()
        self._row, self._column = 0, -1
        self._attributes = (0, "n")
        self._texts: dict[str, str] = {}
        self._open: str | None = None
        self._is_in_cell = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if self._is_in_cell and tag in ("row", "c"):
            raise ValueError("a row or cell within a cell")
        if tag == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), -1
            self.scan.take_rows((self._row,))
            self.scan.metadata.hidden_rows += attributes.get("hidden") in ("1", "true")
        elif tag == "c":
            self._start_cell(attributes)
        elif tag in _TAGS_WITH_TEXT:
            self._open = tag
            self._texts.setdefault(tag, "")
        elif tag in ("col", "mergeCell", "sheetView", "cfRule"):
            self._take_fact(tag, attributes)

    def end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if tag in _TAGS_WITH_TEXT:
            self._open = None
        elif tag == "c":
            self._end_cell()

    def text(self, text: str) -> None:
        if self._open:
            self._texts[self._open] += text
            if len(self._texts[self._open]) > MAX_TEXT:
                raise InputFileError("A cell holds more text than any spreadsheet allows.", remedy="Shorten that text.")

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._is_in_cell = True
        if "r" in attributes:
            letters, self._row = coordinate_from_string(attributes["r"])
            self._column = column_index_from_string(letters) - 1
        else:
            self._column += 1
        self._attributes = (int(attributes.get("s", "0")), attributes.get("t", "n"))
        self._texts = {}

    def _end_cell(self) -> None:
        self._is_in_cell = False
        value = self._texts.get("v")
        if value or "is" in self._texts or (value is not None and self._attributes[1] in ("str", "d")):
            self.extent.reach(self._row, self._column)
            self.extent.filled += 1
            self.extent.text_bytes += len(self._texts.get("t", ""))
            if self._attributes[1] == "str":
                self.extent.text_bytes += len(value or "")
        self.scan.take_cell(self._row, self._column, self._attributes, self._texts.get("f"), value)

    def _take_fact(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "cfRule":
            self.scan.metadata.has_formats_by_rule = True
        elif tag == "sheetView":
            self.scan.metadata.hides_zeros = attributes.get("showZeros") in ("0", "false")
        elif tag == "col" and attributes.get("hidden") in ("1", "true"):
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            self.scan.metadata.hidden_columns += last - first + 1 if last < 16_384 else 0
        elif tag == "mergeCell":
            self.scan.metadata.merges.append(to_merge(attributes["ref"]))
