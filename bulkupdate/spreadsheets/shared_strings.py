"""How much text a sheet comes to: one long shared string, pointed to from every cell, is a bomb of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from bulkupdate.errors import RefusedFileError
from bulkupdate.spreadsheets.xlsx_cells import Extent
from bulkupdate.spreadsheets.zip_guard import Package

PART = "xl/sharedStrings.xml"
LONGEST_ENTRY_BYTES = 16 << 20

_START = re.compile(rb"<(?:\w+:)?si[ />]")
_REFERENCE = re.compile(rb't=["\']s["\'][^>]*>\s*<(?:\w+:)?v(?: [^>]*)?>(\d{1,9})<')


class SharedStrings:
    """The table of shared strings. `most_bytes` is how much text it, or a sheet, may come to."""

    def __init__(self, package: Package, most_bytes: int) -> None:
        self._package = package
        self._most_bytes = most_bytes
        self._lengths = self._measure()
        self._longest = int(self._lengths.max(initial=0))

    def check(self, part: str, extent: Extent) -> None:
        """Raise `RefusedFileError` where the texts of a sheet come to more than is allowed."""
        text_bytes = extent.text_bytes
        if text_bytes + self._longest * extent.filled > self._most_bytes:
            text_bytes += sum(int(lengths.sum()) for lengths in self._referenced(part))
            if text_bytes > self._most_bytes:
                raise self._refuse()

    def _measure(self) -> np.ndarray:
        """The bytes of each entry, markup included."""
        if PART not in self._package:
            return np.empty(0, np.int64)
        starts: list[np.ndarray] = []
        offset, tail = 0, b""
        for block in self._package.xml_blocks(PART):
            chunk = tail + block
            at = offset - len(tail)
            end = max(0, len(chunk) - 16)
            starts.append(
                np.array(
                    [at + match.start() for match in _START.finditer(chunk, 0, len(chunk)) if match.start() < end],
                    np.int64,
                )
            )
            offset += len(block)
            tail = chunk[end:]
            if offset > self._most_bytes:
                raise self._refuse()
        starts.append(np.array([offset - len(tail) + match.start() for match in _START.finditer(tail)], np.int64))
        lengths = np.diff(np.concatenate([*starts, np.array([offset], np.int64)]))
        if lengths.max(initial=0) > LONGEST_ENTRY_BYTES:
            raise self._refuse()
        return lengths

    def _referenced(self, part: str) -> Iterator[np.ndarray]:
        tail = b""
        for block in self._package.xml_blocks(part):
            chunk = tail + block
            end = chunk.rfind(b"</") if b"</" in chunk else 0
            places = np.array(_REFERENCE.findall(chunk[:end]), dtype="S9").astype(np.int64)
            yield self._lengths[places[places < len(self._lengths)]]
            tail = chunk[end:]

    def _refuse(self) -> RefusedFileError:
        return RefusedFileError(
            f"The cells hold more than {self._most_bytes:,} bytes of text.",
            remedy="Split the file, save it as CSV, or raise the limit: BULKUPDATE_MAX_UNPACKED_BYTES (text may be a quarter of it).",
        )
