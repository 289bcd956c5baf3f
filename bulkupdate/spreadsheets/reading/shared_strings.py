"""Limit the text of a sheet: a small file can have one long shared string to which every cell refers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.safe_zip import Package
from bulkupdate.spreadsheets.reading.xlsx_cells import Extent

MAX_ENTRY_BYTES = 16 << 20

_SINGLE_QUOTED = re.compile(rb"'s'")  # a pattern is quicker than `count` where there are none
_HIDING = re.compile(rb"!(?:--|\[CDATA\[)")
_PREFIXED = re.compile(rb":si")
_TOP = re.compile(rb"\A.*?<(?:\w+:)?sst[^>]*>", re.DOTALL)
_END = re.compile(rb"</(?:\w+:)?si\s*>|<(?:\w+:)?si(?:\s[^>]*)?/>")
_REFERENCE = re.compile(rb't\s*=\s*["\']s["\'][^>]*>\s*<(?:\w+:)?v(?:\s[^>]*)?>\s*(\d{1,9})\s*<')
_USUAL_REFERENCE = re.compile(rb't="s"><v>(\d{1,9})<')


class SharedStrings:
    """The table of shared strings in `part`, which may be missing.

    `max_bytes` limits the text of the table, and that of a sheet.
    """

    def __init__(self, package: Package, part: str, max_bytes: int) -> None:
        self._package = package
        self._part = part
        self._max_bytes = max_bytes
        self._lengths = self._measure_entries()

    def check(self, part: str, extent: Extent) -> None:
        """Raise `InputFileError` if the texts of a sheet are more than is allowed."""
        text_bytes = extent.text_bytes
        if text_bytes + self._longest * extent.filled > self._max_bytes:
            text_bytes += self._measure_referenced(part)
            if text_bytes > self._max_bytes:
                raise self._too_much_text_error()

    @property
    def _longest(self) -> int:
        return int(self._lengths.max(initial=0))

    def _measure_entries(self) -> np.ndarray:
        """Return the bytes of every entry up to its end tag, in order. Raises `InputFileError` if they are too many.

        If a comment or CDATA may hide where an entry ends, each counts as the longest.
        """
        lengths, total, tail, is_hidden = [np.empty(0, np.int64)], 0, b"", False
        for block in self._blocks():
            total += len(block)
            chunk = tail + block
            is_hidden = is_hidden or bool(_HIDING.search(chunk))
            *whole, tail = _split_entries(_TOP.sub(b"", chunk) if total == len(block) else chunk)
            lengths.append(np.fromiter(map(len, whole), np.int64, len(whole)))
            if total > self._max_bytes or max(len(tail), lengths[-1].max(initial=0)) > MAX_ENTRY_BYTES:
                raise self._too_much_text_error()
        every = np.concatenate(lengths)
        return np.full_like(every, every.max(initial=0)) if is_hidden else every

    def _measure_referenced(self, part: str) -> int:
        """Return the bytes of the entries to which a sheet refers, counted for each reference.

        What may be a reference in an unusual notation, or to no entry, counts as one to the longest.
        """
        lengths = np.append(self._lengths, self._longest)
        total, tail = 0, b""
        for block in self._package.xml_blocks(part):
            chunk = tail + block
            end = max(0, chunk.rfind(b"</"))
            cells, tail = chunk[:end], chunk[end:]
            count = cells.count(b'"s"') + len(_SINGLE_QUOTED.findall(cells))
            found = _USUAL_REFERENCE.findall(cells)
            if len(found) != count:
                found = _REFERENCE.findall(cells)
            indexes = np.array(found, dtype="S9").astype(np.int64)
            total += int(lengths[np.minimum(indexes, len(lengths) - 1)].sum())
            total += max(0, count - len(found)) * self._longest
        return total

    def _blocks(self) -> Iterator[bytes]:
        return self._package.xml_blocks(self._part) if self._part in self._package else iter(())

    def _too_much_text_error(self) -> InputFileError:
        return InputFileError(
            f"The cells hold more than {self._max_bytes:,} bytes of text.",
            remedy="Split the file, save it as CSV, or raise the limit: "
            "BULKUPDATE_MAX_UNPACKED_BYTES (text may be a quarter of it).",
        )


def _split_entries(chunk: bytes) -> list[bytes]:
    """Return the entries that end in the chunk, and what follows the last of them."""
    parts = chunk.split(b"</si>")
    is_usual = (
        chunk.count(b"<si") == chunk.count(b"<si>")
        and chunk.count(b"</si") == len(parts) - 1
        and not _PREFIXED.search(chunk)
    )
    return parts if is_usual else _END.split(chunk)
