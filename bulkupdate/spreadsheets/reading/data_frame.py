"""Turn a pandas DataFrame into a `Sheet`, as if its values were the cells of a file (`typed_values.py`)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet
from bulkupdate.spreadsheets.reading.typed_values import make_typed_sheet, to_text

SOURCE_NAME = "DataFrame"
_TOO_LARGE = 2**63


def read_frame(frame: pd.DataFrame, options: ReadOptions) -> Sheet:
    """Return a frame as a sheet. Raises `InputFileError` if it is not a table of customers.

    An index of whole numbers is kept as the row numbers, and its order is that of the rows; with any other index, rows
    count from 0.
    """
    return make_typed_sheet(f"The {SOURCE_NAME}", tuple(map(str, frame.columns)), _list_rows(frame), options)


def hash_frame(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame's headings, row numbers and texts, by which its content is recognised."""
    digest = hashlib.sha256(json.dumps([str(heading) for heading in frame.columns]).encode())
    for number, values in _list_rows(frame):
        digest.update(json.dumps([number, *(to_text(value)[0] for value in values)]).encode())
    return digest.hexdigest()


def _list_rows(frame: pd.DataFrame) -> Iterator[tuple[int, tuple[Any, ...]]]:
    if pd.api.types.is_integer_dtype(frame.index.dtype):
        if not frame.index.is_unique or (len(frame) and not 0 <= frame.index.min() <= frame.index.max() < _TOO_LARGE):
            raise InputFileError(
                f"The index of the {SOURCE_NAME} has duplicate, negative or huge numbers: it cannot number the rows.",
                remedy="Use frame.reset_index(drop=True).",
            )
        frame = frame.sort_index()
        row_numbers = frame.index.tolist()
    else:
        row_numbers = list(range(len(frame)))
    columns = [_list_values(frame.iloc[:, at]) for at in range(frame.shape[1])]
    yield from zip(row_numbers, zip(*columns, strict=True) if columns else (), strict=bool(columns))


def _list_values(column: pd.Series[Any]) -> list[Any]:
    """Return the values as Python has them; a short float keeps its own precision: 0.1 is not 0.10000000149."""
    kind = getattr(column.dtype, "numpy_dtype", column.dtype)
    if kind in (np.float16, np.float32):
        return list(column.to_numpy(dtype=kind, na_value=np.nan))
    return column.astype(object).tolist()
