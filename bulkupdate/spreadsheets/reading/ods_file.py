"""Read an .ods file: its XML is parsed here, as no library reports what a cell shows.

Source: OpenDocument 1.3 part 3, 19.387 (office:value-type) and 9.1 (tables).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from xml.parsers import expat

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.cell_checks import LOST_DIGITS_FROM, Special, SpecialCell
from bulkupdate.spreadsheets.reading.number_display import DisplayedNumber, format_general
from bulkupdate.spreadsheets.reading.open_workbook import MAX_ROWS, SheetMetadata, SheetRow
from bulkupdate.spreadsheets.reading.safe_zip import Package, encrypted_error

CONTENT = "content.xml"
MANIFEST = "META-INF/manifest.xml"
MAX_COLUMNS = 16_384
MAX_TEXT = 10_000_000
_NUMBERS = frozenset({"float", "percentage", "currency"})
_ERROR = re.compile(r"#[A-Z/0!?]+|Err:\d+|#.*!")
_CELLS = ("table:table-cell", "table:covered-table-cell")
_BLANKS = {"text:s": " ", "text:tab": "\t", "text:line-break": "\n"}
_HIDDEN = ("collapse", "filter")
_Handler = Callable[..., None]


class OdsWorkbook:
    """The workbook. Raises `InputFileError` if it is damaged or protected."""

    def __init__(self, path: Path, package: Package) -> None:
        self._package = package
        if CONTENT not in package:
            raise package.damaged_error()
        if MANIFEST in package and any(b"encryption-data" in block for block in package.xml_blocks(MANIFEST)):
            raise encrypted_error(path)
        tables = _Tables()
        self._parse(tables.start)
        self.sheets: Sequence[tuple[str, bool]] = [(name, style in tables.hidden) for name, style in tables.found]

    def open_sheet(self, name: str) -> OdsSheet:
        sheet = OdsSheet(name)
        self._parse(sheet.start, sheet.end, sheet.take_text)
        return sheet

    def _parse(self, start: _Handler, end: _Handler | None = None, text: _Handler | None = None) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = text
        try:
            for block in self._package.xml_blocks(CONTENT):
                parser.Parse(block)
            parser.Parse(b"", True)
        except (expat.ExpatError, ValueError) as error:
            raise self._package.damaged_error() from error


class _Tables:
    """The tables of the file with their styles, and the styles that hide a table."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self.hidden: set[str] = set()
        self._style = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "style:style":
            self._style = attributes.get("style:name", "")
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self.hidden.add(self._style)
        elif tag == "table:table" and "table:name" in attributes:
            self.found.append((attributes["table:name"], attributes.get("table:style-name", "")))


class OdsSheet:
    """A sheet of the workbook, filled by the parser. Repeated rows are stored once."""

    def __init__(self, name: str) -> None:
        self.metadata = SheetMetadata()
        self.width = 0
        self._name = name
        self._rows: list[tuple[int, int, list[str]]] = []
        self._is_inside = False
        self._next_row, self._repeat_row, self._is_hidden = 1, 1, False
        self._cells: list[str] = []
        self._blanks = 0
        self._attributes: dict[str, str] = {}
        self._paragraphs: list[str] | None = None
        self._is_open = False
        self._beside_open = 0

    def rows(self, count: int | None = None) -> Iterator[SheetRow]:
        for first, repeats, cells in self._rows:
            end = first + repeats if count is None else min(first + repeats, count + 1)
            yield from ((number, cells, ()) for number in range(first, end))

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""
        if tag == "table:table":
            self._is_inside = attributes.get("table:name") == self._name
        elif not self._is_inside:
            return
        elif tag == "table:table-row":
            self._start_row(attributes)
        elif tag in _CELLS:
            self._attributes, self._paragraphs = attributes, []
        elif tag == "table:table-column":
            self._take_column(attributes)
        elif _is_beside(tag):
            self._beside_open += 1
        elif self._paragraphs is not None and not self._beside_open:
            self._start_text(tag, attributes)

    def end(self, tag: str) -> None:
        """Handle the end of an element."""
        if tag == "table:table":
            self._is_inside = False
        elif not self._is_inside:
            return
        elif _is_beside(tag):
            self._beside_open -= 1
        elif tag == "text:p" and not self._beside_open:
            self._is_open = False
        elif tag in _CELLS:
            self._end_cell()
        elif tag == "table:table-row":
            self._end_row()

    def take_text(self, text: str) -> None:
        """Handle text of a cell. Raises `InputFileError` if it is too long."""
        if self._is_open and self._paragraphs and not self._beside_open:
            self._paragraphs[-1] += text
            if len(self._paragraphs[-1]) > MAX_TEXT:
                raise InputFileError("A cell holds more text than any spreadsheet allows.", remedy="Shorten that text.")

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._repeat_row = _repeats(attributes, "table:number-rows-repeated")
        self._is_hidden = attributes.get("table:visibility") in _HIDDEN
        self._cells, self._blanks = [], 0

    def _start_text(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "text:p" and self._paragraphs is not None:
            self._paragraphs.append("")
            self._is_open = True
        elif tag in _BLANKS:
            self.take_text(_BLANKS[tag] * min(32_767, _repeats(attributes, "text:c")))

    def _end_cell(self) -> None:
        column = len(self._cells) + self._blanks
        repeats = min(_repeats(self._attributes, "table:number-columns-repeated"), MAX_COLUMNS - column)
        text, special = _read_cell(self._next_row, column, self._attributes, "\n".join(self._paragraphs or ()))
        self._paragraphs = None
        self._take_merge(column)
        if special is None and not text:
            self._blanks += max(0, repeats)
            return
        self.metadata.formulas += "table:formula" in self._attributes
        self._cells.extend([""] * self._blanks)
        self._blanks = 0
        for repeated in range(column, column + repeats):
            self._cells.append(text)
            if special:
                for row in range(self._next_row, self._next_row + self._repeat_row):
                    self.metadata.add_special(special.move(row, repeated))

    def _end_row(self) -> None:
        if self._cells:
            repeats = min(self._repeat_row, MAX_ROWS - self._next_row + 1)
            self._rows.append((self._next_row, repeats, self._cells))
            self.width = max(self.width, len(self._cells))
            self.metadata.hidden_rows += repeats if self._is_hidden else 0
        self._next_row += self._repeat_row

    def _take_merge(self, column: int) -> None:
        rows = _repeats(self._attributes, "table:number-rows-spanned")
        columns = _repeats(self._attributes, "table:number-columns-spanned")
        if (rows, columns) != (1, 1):
            self.metadata.merges.append((self._next_row, column, self._next_row + rows - 1, column + columns - 1))

    def _take_column(self, attributes: dict[str, str]) -> None:
        count = _repeats(attributes, "table:number-columns-repeated")
        if attributes.get("table:visibility") in _HIDDEN and count < 1000:
            self.metadata.hidden_columns += count


def _is_beside(tag: str) -> bool:
    """Return whether an element in a cell is not its text: a comment, a shape, the pronunciation of a character."""
    return tag in ("office:annotation", "text:ruby-text") or tag.startswith(("draw:", "dr3d:"))


def _repeats(attributes: dict[str, str], name: str) -> int:
    return min(MAX_ROWS, max(1, int(attributes.get(name, "1"))))


def _read_cell(row: int, column: int, attributes: Mapping[str, str], text: str) -> tuple[str, SpecialCell | None]:
    """Return the text of a cell, and the cell itself if its text is not simply its value. `text` is its paragraphs."""
    kind = attributes.get("office:value-type", "")
    formula = attributes.get("table:formula")
    if _is_error(attributes, text):
        return text, SpecialCell(row, column, Special.ERROR, text or "#N/A")
    if formula is not None and not kind and not text:
        return "", SpecialCell(row, column, Special.UNCALCULATED, formula)
    if kind == "boolean":
        return ("TRUE" if attributes.get("office:boolean-value") == "true" else "FALSE"), None
    if kind in ("date", "time"):
        iso = attributes.get("office:date-value") or attributes.get("office:time-value") or text
        return text, SpecialCell(row, column, Special.NUMBER, shown=DisplayedNumber(text or None, iso, is_date=True))
    if kind in _NUMBERS:
        return _read_number(row, column, attributes.get("office:value", ""), text)
    return text or attributes.get("office:string-value", ""), None


def _is_error(attributes: Mapping[str, str], text: str) -> bool:
    has_text_of_formula = "table:formula" in attributes and not attributes.get("office:string-value")
    return attributes.get("calcext:value-type") == "error" or (has_text_of_formula and bool(_ERROR.fullmatch(text)))


def _read_number(row: int, column: int, value: str, text: str) -> tuple[str, SpecialCell | None]:
    try:
        number = float(value)
    except ValueError:
        return text, None
    plain = format_general(number)
    if text in ("TRUE", "FALSE") or (text == plain and abs(number) < LOST_DIGITS_FROM):
        return text, None
    return text, SpecialCell(row, column, Special.NUMBER, number=number, shown=_to_shown(text, plain, number))


def _to_shown(text: str, plain: str, number: float) -> DisplayedNumber:
    """Return how a number is displayed, judged by its digits only: the separators are those of the author's country."""
    if re.search(r"\dE[+-]?\d", text):
        return DisplayedNumber(text, plain, is_scientific=True)
    if "##" in text:
        return DisplayedNumber(None, plain)
    exact = format_general(number * 100) if "%" in text else plain
    shown_digits, digits = (re.sub(r"\D", "", number_text).strip("0") for number_text in (text, exact))
    return DisplayedNumber(text, plain, is_rounded=shown_digits != digits)
