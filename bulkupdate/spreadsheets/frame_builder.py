"""Rows of text, chunk by chunk, into a frame: pyarrow's strings from the start, so that a million rows fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from bulkupdate.errors import RefusedFileError
from bulkupdate.spreadsheets.sheet import ReadOptions

CHUNK_CELLS = 500_000
"""Cells that are held as Python's strings before they become pyarrow's."""

CHUNK_CHARACTERS = 16_000_000


class FrameBuilder:
    """Takes rows and gives a frame. Blank rows are left out.

    Raises `RefusedFileError` as soon as there are more rows, cells or text than the settings allow.
    """

    def __init__(self, width: int, options: ReadOptions) -> None:
        self._width = width
        self._options = options
        self._rows: list[Sequence[str]] = []
        self._numbers: list[int] = []
        self._number_chunks: list[np.ndarray] = []
        self._chunks: list[list[pa.Array]] = [[] for _ in range(width)]
        self._count = 0
        self._characters = 0
        self._chunk_characters = 0
        self._chunk_rows = max(1, CHUNK_CELLS // max(1, width))

    def add(self, number: int, cells: Sequence[str]) -> None:
        """Take one row with as many cells as there are columns; a row of blanks is passed over."""
        text = "".join(cells)
        if not text or text.isspace():
            return
        self._rows.append(cells)
        self._numbers.append(number)
        self._chunk_characters += len(text)
        if len(self._rows) >= self._chunk_rows or self._chunk_characters >= CHUNK_CHARACTERS:
            self._flush()

    def build(self) -> tuple[pd.DataFrame, np.ndarray]:
        """The frame and its row numbers."""
        self._flush()
        columns = {
            place: from_arrow(pa.chunked_array(chunks, pa.large_string())) for place, chunks in enumerate(self._chunks)
        }
        return pd.DataFrame(columns), np.concatenate([np.empty(0, np.int64), *self._number_chunks])

    def _flush(self) -> None:
        if not self._rows:
            return
        self._count += len(self._rows)
        self._characters += self._chunk_characters
        self._check_size()
        for chunks, cells in zip(self._chunks, zip(*self._rows, strict=True), strict=True):
            chunks.append(to_text_array(cells))
        self._number_chunks.append(np.array(self._numbers, np.int64))
        self._rows, self._numbers, self._chunk_characters = [], [], 0

    def _check_size(self) -> None:
        options = self._options
        for count, most, what, setting in (
            (self._count, options.max_rows, "rows", "BULKUPDATE_MAX_ROWS"),
            (self._count * self._width, options.max_cells, "cells", "BULKUPDATE_MAX_CELLS"),
            (self._characters * 2, options.max_unpacked_bytes, "bytes of text", "BULKUPDATE_MAX_UNPACKED_BYTES"),
        ):
            if count > most:
                raise RefusedFileError(
                    f"The sheet has more than {most:,} {what}.",
                    remedy=f"Split it into several files, or raise the limit: {setting}.",
                )


def to_text_array(cells: Sequence[str]) -> pa.LargeStringArray:
    """A pyarrow column of texts, laid out from one joined text: three times as fast as `pyarrow.array`, which asks
    every object for its type."""
    offsets = np.zeros(len(cells) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, cells), np.int64, len(cells)), out=offsets[1:])
    data = "".join(cells).encode("utf-8", "replace")
    if len(data) != offsets[-1]:
        starts = np.flatnonzero(np.frombuffer(data, np.int8) >= -64)  # all bytes but those that continue a character
        offsets = np.append(starts, len(data))[offsets]
    return pa.LargeStringArray.from_buffers(len(cells), pa.py_buffer(offsets), pa.py_buffer(data))


def from_arrow(cells: pa.ChunkedArray) -> pd.api.extensions.ExtensionArray:
    """A column of text as pandas keeps it, without a copy."""
    dtype = pd.StringDtype(storage="pyarrow", na_value=np.nan)
    return pd.arrays.ArrowStringArray(cells, dtype=dtype)  # type: ignore[call-arg]  # the stubs lack this argument


def to_arrow(column: pd.Series) -> pa.ChunkedArray:
    """The text of a column as pyarrow keeps it, without a copy."""
    return pa.chunked_array(column.array.__arrow_array__())
