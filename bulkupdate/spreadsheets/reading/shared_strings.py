"""Limit the text of a sheet: a small file can have one long shared string to which every cell refers."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.safe_zip import Package
from bulkupdate.spreadsheets.reading.xlsx_cells import Extent
from bulkupdate.spreadsheets.reading.xlsx_parse import parse_entries
from bulkupdate.spreadsheets.reading.xml_pattern import matches

MAX_ENTRY_BYTES = 16 << 20

_MOST_TAIL_BYTES = 1_000
_TOP = re.compile(rb"\A\s*(?:<\?[^<>]*>\s*)?<sst[^<>]*>")
_ENTRIES = r'\A(?:<si><t(?: xml:space="preserve")?(?:/>|>[^<]*</t>)</si>)*\z'
_END_TAG = b"</si>"
_SINGLE_QUOTED = re.compile(rb"'s'")  # a pattern is quicker than `count` where there are none
_REFERENCE = re.compile(rb't="s"(?: \w+="[^"<>]*")*><v>(\d{1,9})</v></c>')


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
        """Return the bytes of every entry up to its end tag, in order. Raises `InputFileError` if they are too many."""
        usual = self._measure_usual_entries()
        lengths = parse_entries(self._blocks()) if usual is None else usual
        if lengths.max(initial=0) > MAX_ENTRY_BYTES:
            raise self._too_much_text_error()
        return lengths

    def _measure_usual_entries(self) -> np.ndarray | None:
        """Return the same if the table holds nothing but `<si><t>…</t></si>`; None: it has to be parsed."""
        lengths, tail, has_begun = [np.empty(0, np.int64)], b"", False
        for block in self._blocks():
            chunk = tail + block
            if not has_begun:
                top = _TOP.match(chunk)
                if top is None:
                    return None
                chunk, has_begun = chunk[top.end() :], True
            entries, end_tag, tail = chunk.rpartition(_END_TAG)
            entries += end_tag
            if len(tail) > MAX_ENTRY_BYTES:
                raise self._too_much_text_error()
            if not matches(_ENTRIES, entries):
                return None
            lengths.append(_measure_usual(entries))
        return np.concatenate(lengths) if tail.strip() in (b"", b"</sst>") else None

    def _measure_referenced(self, part: str) -> int:
        """Return the bytes of the entries to which a sheet refers, counted for each reference.

        A reference in an unusual notation, or to no entry, counts as one to the longest.
        """
        longest = self._longest
        lengths = np.append(self._lengths, longest)
        total, tail = 0, b""
        for block in self._package.xml_blocks(part):
            chunk = tail + block
            found_end = chunk.rfind(b"</c>")
            end = max(0 if found_end < 0 else found_end + len(b"</c>"), len(chunk) - _MOST_TAIL_BYTES)
            cells, tail = chunk[:end], chunk[end:]
            found = _REFERENCE.findall(cells)
            indexes = np.array(found, dtype="S9").astype(np.int64)
            total += int(lengths[np.minimum(indexes, len(lengths) - 1)].sum())
            total += (_count_references(cells) - len(found)) * longest
        return total + _count_references(tail) * longest

    def _blocks(self) -> Iterator[bytes]:
        """Yield the table, block by block. Raises `InputFileError` if it is too long."""
        total = 0
        for block in self._package.xml_blocks(self._part) if self._part in self._package else ():
            total += len(block)
            if total > self._max_bytes:
                raise self._too_much_text_error()
            yield block

    def _too_much_text_error(self) -> InputFileError:
        return InputFileError(
            f"The cells hold more than {self._max_bytes:,} bytes of text.",
            remedy="Split the file, save it as CSV, or raise the limit: "
            "BULKUPDATE_MAX_UNPACKED_BYTES (text may be a quarter of it).",
        )


def _measure_usual(entries: bytes) -> np.ndarray:
    """Return the bytes of each entry up to its end tag. The texts hold no `<`, so `</s` begins nothing else."""
    signs = np.frombuffer(entries, np.uint8)
    end_tags = np.flatnonzero((signs[:-2] == ord("<")) & (signs[1:-1] == ord("/")) & (signs[2:] == ord("s")))
    return np.diff(end_tags, prepend=-len(_END_TAG)) - len(_END_TAG)


def _count_references(xml: bytes) -> int:
    """Return how many cells may have a shared text, in whatever notation: the type `s` in any attribute counts."""
    return xml.count(b'"s"') + len(_SINGLE_QUOTED.findall(xml))
