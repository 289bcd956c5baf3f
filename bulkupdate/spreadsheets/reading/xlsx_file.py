"""Read an .xlsx file: its directory, its styles, and each sheet's cells by calamine beside a scan of its XML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from python_calamine import CalamineSheet

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.calamine_book import CalamineBook
from bulkupdate.spreadsheets.reading.cell_checks import SpecialCell
from bulkupdate.spreadsheets.reading.number_format import code_of
from bulkupdate.spreadsheets.reading.open_workbook import SheetMetadata, SheetRow
from bulkupdate.spreadsheets.reading.safe_zip import Package
from bulkupdate.spreadsheets.reading.shared_strings import SharedStrings
from bulkupdate.spreadsheets.reading.sheet import ReadOptions
from bulkupdate.spreadsheets.reading.xlsx_cells import Extent, Styles
from bulkupdate.spreadsheets.reading.xlsx_extent import measure_extent
from bulkupdate.spreadsheets.reading.xlsx_parse import parse_sheet
from bulkupdate.spreadsheets.reading.xlsx_scan import scan_sheet

ROOMY_AREA = 8_000_000
"""Cells that calamine may allocate even if few of them are filled."""

MAX_DAYS = 10_000_000
"""The maximum days of a date or a duration; Excel's own last date is day 2,958,465."""

_DATE_LETTERS = frozenset("dmyhsDMYHS")


class _Entry(NamedTuple):
    name: str
    part: str
    is_hidden: bool


class XlsxWorkbook:
    """The workbook. Raises `InputFileError` if it is damaged, protected, or exceeds a limit."""

    def __init__(self, path: Path, package: Package, options: ReadOptions) -> None:
        self._path = path
        self._package = package
        self._options = options
        self._folder = self._find_folder()
        root = self._package.parse_xml(f"{self._folder}workbook.xml")
        self._entries = self._list_sheets(root)
        self._is_1904 = any(_is_true(item.get("date1904")) for item in _all(root, "workbookPr"))
        is_uncalculated = any(_is_true(item.get("fullCalcOnLoad")) for item in _all(root, "calcPr"))
        self._has_formats_by_rule = False
        self._styles = Styles(self._read_formats(), is_uncalculated)
        self._shared = SharedStrings(package, f"{self._folder}sharedStrings.xml", options.max_unpacked_bytes // 4)
        self._book = _open_meanwhile(path)

    @property
    def sheets(self) -> Sequence[tuple[str, bool]]:
        return [(entry.name, entry.is_hidden) for entry in self._entries]

    def open_sheet(self, name: str) -> XlsxSheet:
        """Measure the sheet, and then scan it while calamine reads it without Python's lock."""
        part = next(entry.part for entry in self._entries if entry.name == name)
        extent, parsed = measure_extent(self._package.xml_blocks(part)), None
        if extent is None:
            parsed = parse_sheet(self._package.xml_blocks(part), self._styles)
            extent = parsed.extent
        self._check_extent(name, extent)
        self._shared.check(part, extent)
        book = self._book.result()
        with ThreadPoolExecutor(1) as meanwhile:
            reading = meanwhile.submit(book.sheet, name)
            metadata = parsed.metadata if parsed else scan_sheet(self._package.xml_blocks(part), self._styles)
        metadata.is_1904 = self._is_1904
        metadata.has_formats_by_rule &= self._has_formats_by_rule
        if any(map(_is_far_date, metadata.special_cells)):
            book = book.without(self._package, f"{self._folder}styles.xml")
            return XlsxSheet(book, book.sheet(name), metadata)
        return XlsxSheet(book, reading.result(), metadata)

    def _check_extent(self, name: str, extent: Extent) -> None:
        if extent.area > max(ROOMY_AREA, 4 * extent.filled):
            raise InputFileError(
                f"The sheet “{name}” reaches to row {extent.last_row:,} and column {extent.last_column + 1:,}, "
                f"although only {extent.filled:,} cells are filled.",
                remedy="Delete the cells far from the table, or name another sheet with --sheet.",
            )

    def _find_folder(self) -> str:
        """Return the folder of the workbook within the file, found as calamine does: usually `xl/`."""
        relations = _all(self._package.parse_xml("_rels/.rels"), "Relationship")
        targets = {item.get("Target", "") for item in relations if item.get("Type", "").endswith("/officeDocument")}
        if len(targets) != 1:
            raise self._package.damaged_error()
        target = targets.pop().lstrip("/")
        return target[: target.rfind("/") + 1]

    def _list_sheets(self, root: Element) -> list[_Entry]:
        targets = {
            item.get("Id", ""): (item.get("Target", ""), item.get("Type", ""))
            for item in _all(self._package.parse_xml(f"{self._folder}_rels/workbook.xml.rels"), "Relationship")
        }
        entries = []
        for sheet in _all(root, "sheet"):
            relation = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
            target, kind = targets.get(relation, ("", ""))
            if kind.endswith("/worksheet"):
                part = target.lstrip("/") if target.startswith("/") else f"{self._folder}{target}"
                entries.append(_Entry(sheet.get("name", ""), part, sheet.get("state", "visible") != "visible"))
        return entries

    def _read_formats(self) -> list[str]:
        """Return the number format code of every cell style.

        Those of conditional formatting (`dxfs`) have numbers of their own.
        """
        part = f"{self._folder}styles.xml"
        if part not in self._package:
            return []
        root = self._package.parse_xml(part)
        formats, styles, rules = (
            [item for parent in _all(root, parents) for item in _all(parent, children)]
            for parents, children in (("numFmts", "numFmt"), ("cellXfs", "xf"), ("dxfs", "numFmt"))
        )
        self._has_formats_by_rule = bool(rules)
        own = {_number_of(item): item.get("formatCode", "") for item in formats}
        return [code_of(_number_of(item), own) for item in styles]


class XlsxSheet:
    """A sheet of the workbook."""

    def __init__(self, book: CalamineBook, sheet: CalamineSheet, metadata: SheetMetadata) -> None:
        self._book = book
        self._sheet = sheet
        self.metadata = metadata

    @property
    def width(self) -> int:
        return self._sheet.end[1] + 1 if self._sheet.end else 0

    def rows(self, count: int | None = None) -> Iterator[SheetRow]:
        return self._book.rows(self._sheet, count)


def _is_far_date(cell: SpecialCell) -> bool:
    """Return whether calamine may take the number for a date out of range: it decides by the format's letters."""
    return not abs(cell.number) <= MAX_DAYS and not _DATE_LETTERS.isdisjoint(cell.format_code)


def _open_meanwhile(path: Path) -> Future[CalamineBook]:
    """Open the workbook in another thread: calamine reads the shared strings without Python's lock."""
    executor = ThreadPoolExecutor(1)
    opening = executor.submit(CalamineBook, path)
    executor.shutdown(wait=False)
    return opening


def _all(root: Element, tag: str) -> list[Element]:
    """Return all elements of a name, in any namespace: there are two, transitional and strict."""
    return [item for item in root.iter() if isinstance(item.tag, str) and item.tag.rpartition("}")[2] == tag]


def _number_of(element: Element) -> int:
    text = element.get("numFmtId", "0")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _is_true(text: str | None) -> bool:
    return text in ("1", "true", "on")
