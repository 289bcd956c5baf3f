"""Stream rows into a workbook whose styles openpyxl has laid out.

Memory does not grow with the rows. XlsxWriter's row-by-row mode took three times as long, and loses some texts
(see `escaping.py`).
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import IO, BinaryIO, NamedTuple, TypeAlias
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty
from openpyxl.utils import get_column_letter

from bulkupdate.errors import UsageError
from bulkupdate.spreadsheets.writing.escaping import format_inline_string
from bulkupdate.spreadsheets.writing.own_files import (
    CREATOR,
    MARK_PROPERTY,
    PROPERTIES_PART,
    OwnFileKind,
    describe_mark,
    seal,
)

EXCEL_ROWS = 1_048_576
EXCEL_COLUMNS = 16_384

_SMALL_PART_BYTES = 2_000_000_000
_BYTES_A_CELL = 100
_CHUNK_CHARACTERS = 4_000_000
LINE_POINTS = 15
_CHARACTERS_A_WIDTH = 1.1  # a column's width counts digits; letters are narrower on average
_MOST_LINES = 25

_SHEET_PART = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_SHEET_DATA = re.compile(rb"<sheetData ?/>|<sheetData>.*</sheetData>", re.DOTALL)
_DIMENSION = re.compile(rb"<dimension [^>]*/>")
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
_AFTER_LINKS = re.compile(rb"<(?:printOptions|pageMargins)\b")
_PLACE_OF_LINKS = re.compile(rb"<hyperlinks>.*?</hyperlinks>")
_LINKED_FILE = ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId1"'
_AFTER_IGNORED_ERRORS = re.compile(rb"<(?:drawing|legacyDrawing|tableParts)\b|</worksheet>")
_IGNORED_ERRORS = b'<ignoredErrors><ignoredError sqref="A1:XFD1048576" numberStoredAsText="1"/></ignoredErrors>'


class Styled(NamedTuple):
    """A cell with a style of its own; `style` is the number that `styles.register` returned.

    `location` is the place in the workbook that a click leads to, such as `'Results'!A5`; empty for none.
    """

    value: str | int | None
    style: int
    location: str = ""


Cell: TypeAlias = str | int | Styled | None
"""A text, a number, or nothing; a text is always written as text, whatever it looks like."""


@dataclass(frozen=True)
class StreamedRows:
    """The rows of a sheet, from row 1 on.

    `styles` holds a style for each column. `wrapped` has the width in characters of each column (from 0) whose texts
    are wrapped: rows are made high enough for them. `count` is the number of rows, None if unknown. `linked_file`
    is the name of the workbook beside this one that the links lead to, empty for this one. `links` are filled while the
    rows are written.
    """

    rows: Iterable[Sequence[Cell]]
    styles: Sequence[int]
    wrapped: Mapping[int, float] = field(default_factory=dict)
    count: int | None = None
    linked_file: str = ""
    links: list[str] = field(default_factory=list)


def write_workbook(book: Workbook, stream: BinaryIO, streamed: Mapping[str, StreamedRows], kind: OwnFileKind) -> None:
    """Write `book` to `stream`, marked as a file of this kind.

    The sheets named in `streamed` get their cells from there; of their own cells only the comments are kept. The same
    book with the same `book.properties.created` gives the same bytes. Raises `UsageError` if there are more or larger
    rows than an Excel file can hold; the output is then useless.
    """
    skeleton = BytesIO()
    created = book.properties.created or datetime(2026, 1, 1)
    book.properties.creator = CREATOR
    mark_workbook(book, kind)
    for title, rows in streamed.items():
        if rows.linked_file:  # openpyxl writes the relation that all links of the sheet share
            book[title]["A1"].hyperlink = quote(rows.linked_file)
    book.save(skeleton)
    with zipfile.ZipFile(skeleton) as source, zipfile.ZipFile(stream, "w") as target:
        for name in sorted(source.namelist(), key=PROPERTIES_PART.__eq__):
            entry = zipfile.ZipInfo(name, created.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            part = source.read(name)
            if found := _SHEET_PART.fullmatch(name):
                title = book.sheetnames[int(found[1]) - 1]
                _write_sheet(target, entry, _hide_number_warnings(part), streamed.get(title), title)
            elif name == "docProps/core.xml":
                target.writestr(entry, _MODIFIED.sub(rf"\g<1>{created:%Y-%m-%dT%H:%M:%SZ}".encode(), part))
            else:
                target.writestr(entry, seal(part, target) if name == PROPERTIES_PART else part)


def mark_workbook(book: Workbook, kind: OwnFileKind) -> None:
    """Add the mark to a workbook's properties, to be sealed when it is written."""
    properties = book.custom_doc_props  # type: ignore[attr-defined]  # the published types lack it
    if MARK_PROPERTY in properties.names:
        del properties[MARK_PROPERTY]
    properties.append(StringProperty(name=MARK_PROPERTY, value=describe_mark(kind)))


def _hide_number_warnings(part: bytes) -> bytes:
    """Turn off the green corner with which Excel marks numbers stored as text, such as ids and phone numbers."""
    place = _AFTER_IGNORED_ERRORS.search(part)
    at = place.start() if place else len(part)
    return part[:at] + _IGNORED_ERRORS + part[at:]


def _write_sheet(
    target: zipfile.ZipFile, entry: zipfile.ZipInfo, part: bytes, streamed: StreamedRows | None, title: str
) -> None:
    if streamed is None:
        target.writestr(entry, part)
        return
    width = len(streamed.styles)
    if width > EXCEL_COLUMNS or (streamed.count or 0) > EXCEL_ROWS:
        raise _too_large(title)
    head, tail = _SHEET_DATA.split(part, maxsplit=1)
    dimension = f'<dimension ref="A1:{get_column_letter(width)}{streamed.count}"/>' if streamed.count else ""
    is_large = (streamed.count or 0) * width * _BYTES_A_CELL > _SMALL_PART_BYTES // 2
    with target.open(entry, "w", force_zip64=is_large) as sheet:
        sheet.write(_DIMENSION.sub(dimension.encode(), head) + b"<sheetData>")
        _write_rows(sheet, streamed, title, None if is_large else _SMALL_PART_BYTES)
        sheet.write(b"</sheetData>" + _insert_links(tail, streamed.links))


def _insert_links(tail: bytes, links: Sequence[str]) -> bytes:
    """Return the end of a sheet's part with the links of its cells inserted where the format requires."""
    if not links:
        return tail
    element = f"<hyperlinks>{''.join(links)}</hyperlinks>".encode()
    return _AFTER_LINKS.sub(lambda found: element + found[0], _PLACE_OF_LINKS.sub(b"", tail), count=1)


def _too_large(title: str) -> UsageError:
    return UsageError(
        f"The sheet {title} would be larger than Excel allows: {EXCEL_ROWS:,} rows, {EXCEL_COLUMNS:,} columns, 2 GiB.",
        remedy="Name a file that ends in .csv, or split the input file.",
    )


def _write_rows(sheet: IO[bytes], streamed: StreamedRows, title: str, most_bytes: int | None) -> None:
    """Write the rows, at most `most_bytes` of them if that is not None: the part was announced as small.

    Another thread compresses a chunk while the next one is made, as zlib releases the interpreter lock. Chunks are
    large because the thread waits for the lock before and after each.
    """
    written = 0
    with ThreadPoolExecutor(1, thread_name_prefix="compressor") as compressor:
        compressing = compressor.submit(sheet.write, b"")
        for chunk in _join_chunks(_format_rows(streamed), title):
            written += len(chunk)
            if most_bytes is not None and written > most_bytes:
                raise _too_large(title)
            compressing.result()
            compressing = compressor.submit(sheet.write, chunk)
        compressing.result()


def _join_chunks(rows: Iterator[str], title: str) -> Iterator[bytes]:
    chunk: list[str] = []
    characters = 0
    for number, row in enumerate(rows, start=1):
        if number > EXCEL_ROWS:
            raise _too_large(title)
        chunk.append(row)
        characters += len(row)
        if characters > _CHUNK_CHARACTERS:
            yield "".join(chunk).encode()
            chunk, characters = [], 0
    yield "".join(chunk).encode()


def _format_rows(streamed: StreamedRows) -> Iterator[str]:
    """Yield each row as a `<row>` element. This is the innermost loop: a large run has millions of cells."""
    letters = [get_column_letter(place) for place in range(1, len(streamed.styles) + 1)]
    columns = [(f'<c r="{letter}', f'" s="{style}') for letter, style in zip(letters, streamed.styles, strict=True)]
    linked_file = _LINKED_FILE if streamed.linked_file else ""
    for number, row in enumerate(streamed.rows, start=1):
        lines = count_lines(row, streamed.wrapped) if streamed.wrapped else 1
        parts = [
            f'<row r="{number}" ht="{lines * LINE_POINTS}" customHeight="1">' if lines > 1 else f'<row r="{number}">'
        ]
        for (head, style), value in zip(columns, row, strict=False):
            if value == "" or value is None:
                continue
            if isinstance(value, Styled):
                if value.location:
                    link = quoteattr(value.location)
                    streamed.links.append(f'<hyperlink ref="{head[6:]}{number}"{linked_file} location={link}/>')
                style, value = f'" s="{value.style}', value.value
            if value is None:
                parts.append(f'{head}{number}{style}"/>')
            elif isinstance(value, int):
                parts.append(f'{head}{number}{style}"><v>{value}</v></c>')
            else:
                parts.append(f'{head}{number}{style}" t="inlineStr"><is>{format_inline_string(value)}</is></c>')
        parts.append("</row>")
        yield "".join(parts)


def count_lines(row: Sequence[Cell], wrapped: Mapping[int, float]) -> int:
    """Return how many lines the wrapped texts of a row need; some programs do not compute its height."""
    most = 1
    for place, width in wrapped.items():
        text = row[place] if place < len(row) else None
        if isinstance(text, Styled):
            text = text.value
        if isinstance(text, str) and (len(text) > width or "\n" in text):
            lines = sum(1 + int(len(part) / (width * _CHARACTERS_A_WIDTH)) for part in text.split("\n"))
            most = max(most, min(lines, _MOST_LINES))
    return most
