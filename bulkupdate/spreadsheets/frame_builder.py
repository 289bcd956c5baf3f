"""Rows of text, chunk by chunk, into a frame: pyarrow's strings from the start, so that a million rows fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from bulkupdate.errors import RefusedFileError
from bulkupdate.spreadsheets.sheet import ReadOptions

CHUNK_ROWS = 20_000


class FrameBuilder:
    """Takes rows and gives a frame. Blank rows are left out; short rows are filled with blanks."""

    def __init__(self, width: int, options: ReadOptions) -> None:
        self._width = width
        self._options = options
        self._rows: list[Sequence[str]] = []
        self._numbers: list[int] = []
        self._number_chunks: list[np.ndarray] = []
        self._chunks: list[list[pa.Array]] = [[] for _ in range(width)]
        self._count = 0

    def add(self, number: int, cells: Sequence[str]) -> None:
        """Take one row with as many cells as there are columns; a row of blanks is passed over."""
        if not "".join(cells).strip():
            return
        self._rows.append(cells)
        self._numbers.append(number)
        if len(self._rows) >= CHUNK_ROWS:
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
        check_size(self._count, self._width, self._options)
        for chunks, cells in zip(self._chunks, zip(*self._rows, strict=True), strict=True):
            chunks.append(pa.array(cells, pa.large_string()))
        self._number_chunks.append(np.array(self._numbers, np.int64))
        self._rows, self._numbers = [], []


def from_arrow(cells: pa.ChunkedArray) -> pd.api.extensions.ExtensionArray:
    """A column of text as pandas keeps it, without a copy."""
    return pd.arrays.ArrowStringArray(cells, dtype=pd.StringDtype(storage="pyarrow", na_value=np.nan))


def to_arrow(column: pd.Series) -> pa.ChunkedArray:
    """The text of a column as pyarrow keeps it, without a copy."""
    return pa.chunked_array(column.array.__arrow_array__())


def check_size(rows: int, columns: int, options: ReadOptions) -> None:
    """Raise `RefusedFileError` where a sheet has more rows or cells than the settings allow."""
    if rows > options.max_rows:
        raise RefusedFileError(
            f"The sheet has more than {options.max_rows:,} rows.",
            remedy="Split it into several files, or raise the limit: BULKUPDATE_MAX_ROWS.",
        )
    if rows * columns > options.max_cells:
        raise RefusedFileError(
            f"The sheet has more than {options.max_cells:,} cells.",
            remedy="Split it into several files, or raise the limit: BULKUPDATE_MAX_CELLS.",
        )
