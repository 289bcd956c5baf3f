"""Limit the text of a sheet: a small file can have one long shared string to which every cell refers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.safe_zip import Package
from bulkupdate.spreadsheets.reading.xlsx_cells import Extent

MAX_ENTRY_BYTES = 16 << 20

_START = re.compile(rb"<(?:\w+:)?si[ />]")
_REFERENCE = re.compile(rb't=["\']s["\'][^>]*>\s*<(?:\w+:)?v(?: [^>]*)?>(\d{1,9})<')


class SharedStrings:
    """The table of shared strings in `part`, which may be missing.

    `max_bytes` limits the text of the table, and that of a sheet.
    """

    def __init__(self, package: Package, part: str, max_bytes: int) -> None:
        self._package = package
        self._part = part
        self._max_bytes = max_bytes
        self._longest = self._measure_longest()

    def check(self, part: str, extent: Extent) -> None:
        """Raise `InputFileError` if the texts of a sheet are more than is allowed."""
        text_bytes = extent.text_bytes
        if text_bytes + self._longest * extent.filled > self._max_bytes:
            text_bytes += self._measure_referenced(part)
            if text_bytes > self._max_bytes:
                raise self._too_much_text_error()

    def _measure_longest(self) -> int:
        """Return the bytes of the longest entry, markup included. Raises `InputFileError` if the table is too long."""
        longest, total, tail = 0, 0, b""
        for block in self._blocks():
            *whole, tail = (tail + block).split(b"si>")
            longest = max(longest, len(tail), *map(len, whole)) if whole else max(longest, len(tail))
            total += len(block)
            if total > self._max_bytes or longest > MAX_ENTRY_BYTES:
                raise self._too_much_text_error()
        return longest

    def _measure_all(self) -> np.ndarray:
        """Return the bytes of every entry, in order."""
        starts: list[int] = []
        offset, tail = 0, b""
        for block in self._blocks():
            chunk = tail + block
            starts.extend(offset + match.start() for match in _START.finditer(chunk, 0, max(0, len(chunk) - 16)))
            kept = max(0, len(chunk) - 16 - 16)
            offset, tail = offset + kept, chunk[kept:]
        starts.extend(offset + match.start() for match in _START.finditer(tail))
        offsets = np.unique(np.array(starts, np.int64))
        return np.diff(offsets, append=offset + len(tail))

    def _measure_referenced(self, part: str) -> int:
        """Return the bytes of the entries to which a sheet refers, counted for each reference."""
        lengths = self._measure_all()
        total, tail = 0, b""
        for block in self._package.xml_blocks(part):
            chunk = tail + block
            end = max(0, chunk.rfind(b"</"))
            indexes = np.array(_REFERENCE.findall(chunk, 0, end), dtype="S9").astype(np.int64)
            total += int(lengths[indexes[indexes < len(lengths)]].sum())
            tail = chunk[end:]
        return total

    def _blocks(self) -> Iterator[bytes]:
        return self._package.xml_blocks(self._part) if self._part in self._package else iter(())

    def _too_much_text_error(self) -> InputFileError:
        return InputFileError(
            f"The cells hold more than {self._max_bytes:,} bytes of text.",
            remedy="Split the file, save it as CSV, or raise the limit: "
            "BULKUPDATE_MAX_UNPACKED_BYTES (text may be a quarter of it).",
        )
