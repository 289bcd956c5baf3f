"""The records of a binary part of an .xlsb file, and the few kinds of them that matter here.

Source: [MS-XLSB], 2.1.4 (record), 2.3 (record numbers), 2.5 (structures).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum


class RecordType(IntEnum):
    """Numbers of the records that are looked at."""

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


ERROR_NAMES = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip

_LONGEST_HEADER = 6


def read_records(blocks: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Every record: its number and its content. Raises `ValueError` where the last one is cut off."""
    rest = b""
    for block in blocks:
        data = rest + block
        at = 0
        while len(data) - at >= _LONGEST_HEADER:
            number, size, start = _read_header(data, at)
            if start + size > len(data):
                break
            yield number, data[start : start + size]
            at = start + size
        rest = data[at:]
    while rest:
        number, size, start = _read_header(rest + bytes(_LONGEST_HEADER), 0)
        if start + size > len(rest):
            raise ValueError("the last record is cut off")
        yield number, rest[start : start + size]
        rest = rest[start + size :]


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """Return a text with its length before it, and where it ends; a text that is left out is empty."""
    (count,) = struct.unpack_from("<I", data, at)
    if count == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * count
    if end > len(data):
        raise ValueError("a text is cut off")
    return data[at + 4 : end].decode("utf-16-le", "replace"), end


def read_rk(packed: int) -> float:
    """Return a number in the short form: 30 bits, whole or the upper part of a double, perhaps in hundredths."""
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
