"""Build a frame of texts in chunks, as pyarrow strings from the start, so that a million rows fit into memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.sheet import ReadOptions

CHUNK_CELLS = 250_000
"""Cells that are held as Python strings before they become pyarrow strings."""

MAX_COLUMNS = 1_000
"""A customer has 24 fields; a sheet may have other columns too, but each costs memory."""

CHUNK_CHARACTERS = 64_000_000
"""Characters that are joined into one text, as a file may have the same long text in every cell."""

_BLANK_BYTES = np.frombuffer(bytes({*b" \t\n\v\f\r\x1c\x1d\x1e\x1f", 0xC2, 0xE1, 0xE2, 0xE3}), np.uint8)
"""First bytes of the characters that Python counts as white space (and of some others)."""


class FrameBuilder:
    """Turns rows into a frame. Blank rows are left out.

    Raises `InputFileError` as soon as there are more rows, cells or text than the settings allow.
    """

    def __init__(self, width: int, options: ReadOptions) -> None:
        if width > MAX_COLUMNS:
            raise InputFileError(
                f"The sheet extends to column {width:,}; at most {MAX_COLUMNS:,} columns are read.",
                remedy="Delete the cells far to the right of the table.",
            )
        self._width = width
        self._options = options
        self._cells: list[str] = []
        self._numbers: list[int] = []
        self._number_chunks: list[np.ndarray] = []
        self._chunks: list[list[pa.Array]] = [[] for _ in range(width)]
        self._count = 0
        self._characters = 0

    def add(self, number: int, cells: Sequence[str]) -> None:
        """Add a row, with as many cells as there are columns."""
        self._cells.extend(cells)
        self._numbers.append(number)
        if len(self._cells) >= CHUNK_CELLS:
            self._flush()

    def build(self) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the frame and its row numbers."""
        self._flush()
        columns = {
            column: from_arrow(pa.chunked_array(chunks, pa.large_string()))
            for column, chunks in enumerate(self._chunks)
        }
        return pd.DataFrame(columns), np.concatenate([np.empty(0, np.int64), *self._number_chunks])

    def _flush(self) -> None:
        cells, numbers = self._cells, np.array(self._numbers, np.int64)
        self._cells, self._numbers = [], []
        if cells:
            self._take(cells, np.fromiter(map(len, cells), np.int64, len(cells)), numbers)

    def _take(self, cells: list[str], lengths: np.ndarray, numbers: np.ndarray) -> None:
        """Convert the cells of some rows, in halves if their texts together are too long."""
        characters = int(lengths.sum())
        if characters > CHUNK_CHARACTERS and len(numbers) > 1:
            half = len(numbers) // 2
            middle = half * self._width
            self._take(cells[:middle], lengths[:middle], numbers[:half])
            self._take(cells[middle:], lengths[middle:], numbers[half:])
            return
        texts = arrow_strings(cells, lengths)
        kept = self._find_filled(cells, texts, lengths)
        self._count += len(kept)
        self._characters += characters
        self._check_size()
        for column, chunks in enumerate(self._chunks):
            chunks.append(texts.take(pa.array(kept * self._width + column)))
        self._number_chunks.append(numbers[kept])

    def _find_filled(self, cells: list[str], texts: pa.LargeStringArray, lengths: np.ndarray) -> np.ndarray:
        """Return the indexes of rows that are not blank. Only rows that begin with a blank are checked cell by cell."""
        is_filled = np.asarray(lengths.reshape(-1, self._width).any(axis=1))
        offsets = np.frombuffer(texts.buffers()[1], np.int64)[: -1 : self._width]
        data = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
        doubtful = np.flatnonzero(is_filled)
        doubtful = doubtful[np.isin(data[offsets[doubtful]], _BLANK_BYTES)]
        for row in doubtful.tolist():
            is_filled[row] = not "".join(cells[row * self._width : (row + 1) * self._width]).isspace()
        return np.flatnonzero(is_filled)

    def _check_size(self) -> None:
        options = self._options
        for count, most, what, setting in (
            (self._count, options.max_rows, "rows", "BULKUPDATE_MAX_ROWS"),
            (self._count * self._width, options.max_cells, "cells", "BULKUPDATE_MAX_CELLS"),
            (self._characters * 2, options.max_unpacked_bytes, "bytes of text", "BULKUPDATE_MAX_UNPACKED_BYTES"),
        ):
            if count > most:
                raise too_large_error(most, what, setting)


def too_large_error(most: int, what: str, setting: str) -> InputFileError:
    """Return the error for a sheet that has more of something than a setting allows."""
    return InputFileError(
        f"The sheet has more than {most:,} {what}.",
        remedy=f"Split it into several files, or raise the limit: {setting}.",
    )


def arrow_strings(cells: Sequence[str], lengths: np.ndarray) -> pa.LargeStringArray:
    """Return texts as a pyarrow array, made from one joined text; `lengths` are their lengths in characters.

    This is three times as fast as `pyarrow.array`, which checks the type of every object. Half a surrogate pair becomes
    a `?`.
    """
    offsets = np.zeros(len(cells) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    data = "".join(cells).encode("utf-8", "replace")
    if len(data) != offsets[-1]:
        continuing = np.flatnonzero(np.frombuffer(data, np.int8) < -64)  # bytes after the first of a character
        characters_before = continuing - np.arange(len(continuing))
        offsets += np.searchsorted(characters_before, offsets, side="right")
    return pa.LargeStringArray.from_buffers(len(cells), pa.py_buffer(offsets), pa.py_buffer(data))


def from_arrow(cells: pa.ChunkedArray) -> pd.api.extensions.ExtensionArray:
    """Return a pyarrow column as a pandas column, without a copy."""
    dtype = pd.StringDtype(storage="pyarrow", na_value=np.nan)
    return pd.arrays.ArrowStringArray(cells, dtype=dtype)  # type: ignore[call-arg]  # the stubs lack this argument


def to_arrow(column: pd.Series) -> pa.ChunkedArray:
    """Return a pandas column as a pyarrow column, without a copy."""
    return pa.chunked_array(column.array.__arrow_array__())
