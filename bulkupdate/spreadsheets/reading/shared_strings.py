"""Limit how much text a sheet comes to: one long shared string that every cell refers to is a bomb of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.safe_zip import Package
from bulkupdate.spreadsheets.reading.xlsx_cells import Extent

LONGEST_ENTRY_BYTES = 16 << 20

_START = re.compile(rb"<(?:\w+:)?si[ />]")
_REFERENCE = re.compile(rb't=["\']s["\'][^>]*>\s*<(?:\w+:)?v(?: [^>]*)?>(\d{1,9})<')


class SharedStrings:
    """The table of shared strings in `part`, which need not be there.

    `most_bytes` is how much text it, or a sheet, may come to.
    """

    def __init__(self, package: Package, part: str, most_bytes: int) -> None:
        self._package = package
        self._part = part
        self._most_bytes = most_bytes
        self._longest = self._measure_longest()

    def check(self, part: str, extent: Extent) -> None:
        """Raise `InputFileError` where the texts of a sheet come to more than is allowed."""
        text_bytes = extent.text_bytes
        if text_bytes + self._longest * extent.filled > self._most_bytes:
            text_bytes += self._measure_referenced(part)
            if text_bytes > self._most_bytes:
                raise self._refuse()

    def _measure_longest(self) -> int:
        """Return the bytes of the longest entry, markup included. Raises `InputFileError` if all are too many."""
        longest, total, tail = 0, 0, b""
        for block in self._blocks():
            *whole, tail = (tail + block).split(b"si>")
            longest = max(longest, len(tail), *map(len, whole)) if whole else max(longest, len(tail))
            total += len(block)
            if total > self._most_bytes or longest > LONGEST_ENTRY_BYTES:
                raise self._refuse()
        return longest

    def _measure_all(self) -> np.ndarray:
        """Return the bytes of every entry, by its place."""
        starts: list[int] = []
        offset, tail = 0, b""
        for block in self._blocks():
            chunk = tail + block
            starts.extend(offset + match.start() for match in _START.finditer(chunk, 0, max(0, len(chunk) - 16)))
            kept = max(0, len(chunk) - 16 - 16)
            offset, tail = offset + kept, chunk[kept:]
        starts.extend(offset + match.start() for match in _START.finditer(tail))
        places = np.unique(np.array(starts, np.int64))
        return np.diff(places, append=offset + len(tail))

    def _measure_referenced(self, part: str) -> int:
        """Return the bytes of the entries that a sheet points to, each time it does."""
        lengths = self._measure_all()
        total, tail = 0, b""
        for block in self._package.xml_blocks(part):
            chunk = tail + block
            end = max(0, chunk.rfind(b"</"))
            places = np.array(_REFERENCE.findall(chunk, 0, end), dtype="S9").astype(np.int64)
            total += int(lengths[places[places < len(lengths)]].sum())
            tail = chunk[end:]
        return total

    def _blocks(self) -> Iterator[bytes]:
        return self._package.xml_blocks(self._part) if self._part in self._package else iter(())

    def _refuse(self) -> InputFileError:
        return InputFileError(
            f"The cells hold more than {self._most_bytes:,} bytes of text.",
            remedy="Split the file, save it as CSV, or raise the limit: "
            "BULKUPDATE_MAX_UNPACKED_BYTES, of which text may be a quarter.",
        )
