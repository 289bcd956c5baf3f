"""Read the OLE container of an .xls file, or of an encrypted .xlsx: its streams by name.

xlrd can read the container too, but goes round for ever where a damaged one points back at itself.
Source: [MS-CFB].
"""

from __future__ import annotations

import struct
from pathlib import Path

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_LAST_SECTOR = 0xFFFFFFFA
"""Sector numbers from here on are marks: end of a chain, free, and so on."""

_HEADER_BYTES = 512
_ENTRY_BYTES = 128
_ROOT, _STREAM = 5, 2


class OleFile:
    """The container. Raises `ValueError` where it is damaged."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        if len(self._data) < _HEADER_BYTES or not self._data.startswith(SIGNATURE):
            raise ValueError("no OLE container")
        shift, mini_shift = struct.unpack_from("<HH", self._data, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise ValueError("a sector of an unknown size")
        self._size, self._mini_size = 1 << shift, 1 << mini_shift
        directory, _, self._mini_limit, mini_table = struct.unpack_from("<IIII", self._data, 48)
        self._next = self._read_table()
        self._entries = self._read_directory(self._chain(directory))
        root = next(((start, size) for kind, start, size in self._entries.values() if kind == _ROOT), None)
        self._mini_next = _to_numbers(self._chain(mini_table))
        self._mini_data = self._chain(root[0])[: root[1]] if root else b""

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    def stream(self, name: str) -> bytes:
        """Return the content of a stream. Raises `KeyError` where there is none, `ValueError` where it is cut off."""
        _, start, size = self._entries[name]
        content = self._mini_chain(start) if size < self._mini_limit else self._chain(start)
        if len(content) < size:
            raise ValueError("a stream is cut off")
        return content[:size]

    def _read_table(self) -> tuple[int, ...]:
        """Return the sector that follows each sector."""
        (count,) = struct.unpack_from("<I", self._data, 44)
        first, _ = struct.unpack_from("<II", self._data, 68)
        places = list(struct.unpack_from("<109I", self._data, 76))
        seen: set[int] = set()
        while first < _LAST_SECTOR:
            if first in seen:
                raise ValueError("the container points back at itself")
            seen.add(first)
            *more, first = _to_numbers(self._sector(first))
            places.extend(more)
        sectors = [place for place in places if place < _LAST_SECTOR][:count]
        if len(set(sectors)) < len(sectors):
            raise ValueError("the table of sectors repeats itself")
        return _to_numbers(b"".join(map(self._sector, sectors)))

    def _sector(self, number: int) -> bytes:
        start = (number + 1) * self._size
        if start >= len(self._data):
            raise ValueError("a sector lies outside the file")
        return self._data[start : start + self._size].ljust(self._size, b"\0")

    def _chain(self, start: int) -> bytes:
        return b"".join(self._sector(number) for number in _follow(start, self._next))

    def _mini_chain(self, start: int) -> bytes:
        size = self._mini_size
        numbers = _follow(start, self._mini_next)
        return b"".join(self._mini_data[number * size : (number + 1) * size] for number in numbers)

    def _read_directory(self, data: bytes) -> dict[str, tuple[int, int, int]]:
        entries: dict[str, tuple[int, int, int]] = {}
        for at in range(0, len(data) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
            length, kind = struct.unpack_from("<HB", data, at + 64)
            name = data[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
            start, size = struct.unpack_from("<II", data, at + 116)
            if kind in (_ROOT, _STREAM):
                entries.setdefault(name, (kind, start, size))
        return entries


def _to_numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _follow(start: int, following: tuple[int, ...]) -> list[int]:
    """Return the numbers of a chain. Raises `ValueError` where it leaves the table or meets itself."""
    numbers: list[int] = []
    while start < _LAST_SECTOR:
        if start >= len(following) or len(numbers) > len(following):
            raise ValueError("a chain of sectors has no end")
        numbers.append(start)
        start = following[start]
    return numbers
