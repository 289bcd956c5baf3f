"""A small .xlsb file, record by record, as no program at hand writes one. Source: [MS-XLSB]."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from tests.spreadsheets.reading.making import PACKAGE, RELATIONS, write_parts


def record(number: int, content: bytes = b"") -> bytes:
    head = bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80, number >> 7])
    size, left = b"", len(content)
    while True:
        size += bytes([left & 0x7F | (0x80 if left > 0x7F else 0)])
        left >>= 7
        if not left:
            return head + size + content


def text(value: str) -> bytes:
    return struct.pack("<I", len(value.encode("utf-16-le")) // 2) + value.encode("utf-16-le")


def row(number: int, cells: Sequence[bytes], *, hidden: bool = False) -> bytes:
    flags = 0x10 if hidden else 0
    return record(0, struct.pack("<IIHBBBI", number - 1, 0, 300, 0, flags, 0, 0)) + b"".join(cells)


def _cell(number: int, column: int, style: int, content: bytes) -> bytes:
    return record(number, struct.pack("<II", column, style) + content)


def text_cell(column: int, value: str) -> bytes:
    return _cell(6, column, 0, text(value))


def shared_cell(column: int, place: int) -> bytes:
    return _cell(7, column, 0, struct.pack("<I", place))


def number_cell(column: int, value: float, style: int = 0) -> bytes:
    return _cell(5, column, style, struct.pack("<d", value))


def rk_cell(column: int, value: int, style: int = 0) -> bytes:
    return _cell(2, column, style, struct.pack("<I", (value << 2 & 0xFFFFFFFF) | 2))


def bool_cell(column: int, value: bool) -> bytes:
    return _cell(4, column, 0, bytes([value]))


def error_cell(column: int, code: int) -> bytes:
    return _cell(3, column, 0, bytes([code]))


def write_xlsb(path: Path, rows: Sequence[bytes], shared: Sequence[str] = (), formats: Sequence[int] = (0, 2)) -> Path:
    """A workbook of one sheet `Customers`; `formats` are the number formats of the cell styles."""
    book = record(131) + record(143) + record(156, struct.pack("<II", 0, 1) + text("rId1") + text("Customers"))
    styles = record(278) + record(617, struct.pack("<I", len(formats)))
    styles += b"".join(record(47, struct.pack("<HHHHHHBBBB", 0, each, 0, 0, 0, 0, 0, 0, 0, 0)) for each in formats)
    sheet = record(129) + record(148, struct.pack("<IIII", 0, len(rows), 0, 5)) + record(145) + b"".join(rows)
    strings = record(159, struct.pack("<II", len(shared), len(shared)))
    strings += b"".join(record(19, b"\0" + text(each)) for each in shared) + record(160)
    relation = f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.bin"/>'
    return write_parts(
        path,
        {
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"/>',
            "xl/workbook.bin": book + record(144) + record(132),
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{PACKAGE}">{relation}</Relationships>',
            "xl/styles.bin": styles + record(618) + record(279),
            "xl/sharedStrings.bin": strings,
            "xl/worksheets/sheet1.bin": sheet + record(146) + record(130),
        },
    )
