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


def text_cell(column: int, value: str, style: int = 0) -> bytes:
    return _cell(6, column, style, text(value))


def rich_cell(column: int, value: str) -> bytes:
    return _cell(62, column, 0, b"\1" + text(value) + struct.pack("<IHH", 1, 0, 0))


def shared_cell(column: int, place: int, style: int = 0) -> bytes:
    return _cell(7, column, style, struct.pack("<I", place))


def number_cell(column: int, value: float, style: int = 0) -> bytes:
    return _cell(5, column, style, struct.pack("<d", value))


def rk_cell(column: int, value: int, style: int = 0) -> bytes:
    return _cell(2, column, style, struct.pack("<I", (value << 2 & 0xFFFFFFFF) | 2))


def bool_cell(column: int, value: bool, style: int = 0) -> bytes:
    return _cell(4, column, style, bytes([value]))


def error_cell(column: int, code: int) -> bytes:
    return _cell(3, column, 0, bytes([code]))


def blank_cell(column: int, style: int = 0) -> bytes:
    return _cell(1, column, style, b"")


def formula_cell(column: int, value: str | float | bool, style: int = 0) -> bytes:
    """A formula with its stored result; `#N/A` is the error."""
    if value == "#N/A":
        return _cell(11, column, style, b"\x2a" + _FORMULA)
    if isinstance(value, str):
        return _cell(8, column, style, text(value) + _FORMULA)
    if isinstance(value, bool):
        return _cell(10, column, style, bytes([value]) + _FORMULA)
    return _cell(9, column, style, struct.pack("<d", value) + _FORMULA)


_FORMULA = struct.pack("<HIBHI", 0, 3, 0x1E, 5, 0)


def hidden_columns(first: int, last: int, *, is_hidden: bool = True) -> bytes:
    return record(60, struct.pack("<IIIIH", first, last, 2340, 0, int(is_hidden)))


def merge(top: int, bottom: int, left: int, right: int) -> bytes:
    """Cells merged from one row to another, as Excel numbers them; columns count from 0."""
    return record(176, struct.pack("<IIII", top - 1, bottom - 1, left, right))


def style_record(number_format: int) -> bytes:
    return record(47, struct.pack("<HHHHHHBBBB", 0, number_format, 0, 0, 0, 0, 0, 0, 0, 0))


def write_xlsb(
    path: Path,
    rows: Sequence[bytes],
    shared: Sequence[str] = (),
    formats: Sequence[int] = (0, 2),
    own: dict[int, str] | None = None,
    *,
    is_1904: bool = False,
    other: tuple[str, Sequence[bytes]] | None = None,
) -> Path:
    """A workbook of the sheet `Customers`, with what stands before and after its rows among them.

    `formats` are the number formats of the cell styles, `own` those that the file defines. `other` is a hidden sheet
    before it.
    """
    book = record(131) + record(143) + record(153, bytes([is_1904, 0, 0, 0]) + bytes(8))
    if other:
        book += record(156, struct.pack("<II", 1, 2) + text("rId2") + text(other[0]))
    book += record(156, struct.pack("<II", 0, 1) + text("rId1") + text("Customers"))
    book += record(156, struct.pack("<II", 0, 3) + text("rId3") + text("Chart"))
    styles = record(278) + b"".join(record(44, struct.pack("<H", at) + text(code)) for at, code in (own or {}).items())
    styles += record(626, struct.pack("<I", 1)) + style_record(14) + record(627)
    styles += record(617, struct.pack("<I", len(formats))) + b"".join(map(style_record, formats))
    styles += record(618) + style_record(14)
    strings = record(159, struct.pack("<II", len(shared), len(shared)))
    strings += b"".join(record(19, b"\0" + text(each)) for each in shared) + record(160)
    targets = {"rId1": "worksheets/sheet1.bin", "rId2": "/xl/worksheets/sheet2.bin"}
    relations = "".join(
        f'<Relationship Id="{key}" Type="{RELATIONS}/worksheet" Target="{part}"/>' for key, part in targets.items()
    )
    relations += f'<Relationship Id="rId3" Type="{RELATIONS}/chartsheet" Target="chartsheets/sheet1.bin"/>'
    return write_parts(
        path,
        {
            "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"/>',
            "xl/workbook.bin": book + record(144) + record(132),
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>',
            "xl/styles.bin": styles + record(279),
            "xl/sharedStrings.bin": strings,
            "xl/worksheets/sheet1.bin": _sheet(rows),
            "xl/worksheets/sheet2.bin": _sheet(other[1] if other else ()),
            "xl/chartsheets/sheet1.bin": record(129) + record(130),
        },
    )


def _sheet(rows: Sequence[bytes]) -> bytes:
    start = record(129) + record(148, struct.pack("<IIII", 0, len(rows), 0, 5)) + record(145)
    return start + b"".join(rows) + record(146) + record(130)
