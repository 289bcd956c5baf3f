"""Read an .ods file: its content is parsed element by element, as no library tells what a cell shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from xml.parsers import expat

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.ods_cells import read_cell
from bulkupdate.spreadsheets.reading.open_workbook import SheetMetadata, SheetRow
from bulkupdate.spreadsheets.reading.safe_zip import Package, encrypted_error

CONTENT = "content.xml"
MANIFEST = "META-INF/manifest.xml"
MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
LONGEST_TEXT = 10_000_000


class OdsWorkbook:
    """The workbook. Raises `InputFileError` where it is damaged or protected."""

    def __init__(self, path: Path, package: Package) -> None:
        self._package = package
        if CONTENT not in package:
            raise package.damaged_error()
        if MANIFEST in package and any(b"encryption-data" in block for block in package.xml_blocks(MANIFEST)):
            raise encrypted_error(path)
        names = _Names()
        self._parse(names.start)
        self.sheets: Sequence[tuple[str, bool]] = [(name, style in names.hidden_styles) for name, style in names.tables]

    def open_sheet(self, name: str) -> OdsSheet:
        sheet = OdsSheet(name)
        self._parse(sheet.start, sheet.end, sheet.take_text)
        return sheet

    def _parse(
        self,
        start: Callable[[str, dict[str, str]], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
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


class _Names:
    """The tables of the file, and the styles that hide a table."""

    def __init__(self) -> None:
        self.tables: list[tuple[str, str]] = []
        self.hidden_styles: set[str] = set()
        self._style = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "style:style":
            self._style = attributes.get("style:name", "")
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self.hidden_styles.add(self._style)
        elif tag == "table:table" and "table:name" in attributes:
            self.tables.append((attributes["table:name"], attributes.get("table:style-name", "")))


class OdsSheet:
    """One sheet of it, filled by the parser's calls. Rows and cells that repeat are kept once."""

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
            for number in range(first, first + repeats):
                if count is not None and number > count:
                    return
                yield number, cells, ()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element of the file."""
        if tag == "table:table":
            self._is_inside = attributes.get("table:name") == self._name
        elif not self._is_inside:
            return
        elif tag == "table:table-row":
            self._start_row(attributes)
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._attributes, self._paragraphs = attributes, []
        elif tag == "table:table-column":
            self._take_column(attributes)
        elif _is_beside(tag):
            self._beside_open += 1
        elif self._paragraphs is not None and not self._beside_open:
            self._start_text(tag, attributes)

    def end(self, tag: str) -> None:
        """Take the end of an element of the file."""
        if tag == "table:table":
            self._is_inside = False
        elif not self._is_inside:
            return
        elif _is_beside(tag):
            self._beside_open -= 1
        elif tag == "text:p" and not self._beside_open:
            self._is_open = False
        elif tag in ("table:table-cell", "table:covered-table-cell"):
            self._end_cell()
        elif tag == "table:table-row":
            self._end_row()

    def take_text(self, text: str) -> None:
        """Take text of a cell. Raises `InputFileError` if there is far too much of it."""
        if self._is_open and self._paragraphs and not self._beside_open:
            self._paragraphs[-1] += text
            if len(self._paragraphs[-1]) > LONGEST_TEXT:
                raise InputFileError("A cell of the sheet is far larger than a cell can be; it was not read.")

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._repeat_row = _repeats(attributes, "table:number-rows-repeated")
        self._is_hidden = attributes.get("table:visibility") in ("collapse", "filter")
        self._cells, self._blanks = [], 0

    def _start_text(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "text:p" and self._paragraphs is not None:
            self._paragraphs.append("")
            self._is_open = True
        elif tag == "text:s":
            self.take_text(" " * min(32_767, _repeats(attributes, "text:c")))
        elif tag in ("text:tab", "text:line-break"):
            self.take_text("\t" if tag == "text:tab" else "\n")

    def _end_cell(self) -> None:
        column = len(self._cells) + self._blanks
        repeats = min(_repeats(self._attributes, "table:number-columns-repeated"), MAX_COLUMNS - column)
        text, special = read_cell(self._next_row, column, self._attributes, "\n".join(self._paragraphs or ()))
        self._paragraphs = None
        self._take_merge(column)
        if special is None and not text:
            self._blanks += max(0, repeats)
            return
        self.metadata.formulas += "table:formula" in self._attributes
        self._cells.extend([""] * self._blanks)
        self._blanks = 0
        for place in range(column, column + repeats):
            self._cells.append(text)
            if special:
                for row in range(self._next_row, self._next_row + self._repeat_row):
                    self.metadata.add_special(special.move(row, place))

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
        if attributes.get("table:visibility") in ("collapse", "filter") and count < 1000:
            self.metadata.hidden_columns += count


def _is_beside(tag: str) -> bool:
    """Whether what stands in the element is not the cell's text: a comment, a shape, the reading of a character."""
    return tag in ("office:annotation", "text:ruby-text") or tag.startswith(("draw:", "dr3d:"))


def _repeats(attributes: dict[str, str], name: str) -> int:
    return min(MAX_ROWS, max(1, int(attributes.get(name, "1"))))
