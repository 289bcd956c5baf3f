"""Read a Parquet file (.parquet) into a `Sheet`, its values by the same rules as those of a DataFrame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.frame_builder import too_large_error
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet
from bulkupdate.spreadsheets.reading.typed_values import make_typed_sheet

_BATCH_ROWS = 100
"""Rows unpacked at a time: a few bytes of the file may stand for a long text in each of millions of rows."""


def read_parquet_file(path: Path, options: ReadOptions) -> Sheet:
    """Read the file; rows count from 1. Raises `InputFileError` if it is damaged or not a table of customers."""
    try:
        with pq.ParquetFile(path, memory_map=False) as file:
            if file.metadata.num_rows > options.max_rows:
                raise too_large_error(options.max_rows, "rows", "BULKUPDATE_MAX_ROWS")
            return make_typed_sheet(path.name, file.schema_arrow.names, _read_rows(file, options), options)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, MemoryError):
            raise
        raise InputFileError(
            f"{path.name} cannot be read: it is damaged, incomplete, encrypted or of an unknown kind of Parquet.",
            remedy="Copy or write it again, without encryption.",
        ) from error


def _read_rows(file: pq.ParquetFile, options: ReadOptions) -> Iterator[tuple[int, Sequence[Any]]]:
    number, unpacked = 1, 0
    for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
        columns = [_unpack(column) for column in batch.columns]
        unpacked += sum(column.nbytes for column in columns)
        if unpacked > options.max_unpacked_bytes:
            raise too_large_error(options.max_unpacked_bytes, "bytes, unpacked", "BULKUPDATE_MAX_UNPACKED_BYTES")
        yield from enumerate(zip(*map(_list_values, columns), strict=True), number)
        number += len(batch)


def _unpack(column: pa.Array) -> pa.Array:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _list_values(column: pa.Array) -> Sequence[Any]:
    """Return the values as Python has them; a short float keeps its own precision: 0.1 is not 0.10000000149."""
    if pa.types.is_float16(column.type) or pa.types.is_float32(column.type):
        return list(column.to_numpy(zero_copy_only=False))
    return column.to_pylist()  # type: ignore[no-any-return]
