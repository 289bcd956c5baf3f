"""Write what happened to each row of a run as data for programs: JSON Lines or Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from bulkupdate.chunks import in_chunks
from bulkupdate.customers.models import RESULT_COLUMNS, ResultLine, Status
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.writing.own_files import ROWS_MARK
from bulkupdate.spreadsheets.writing.result_counts import compare_with_counts

_TYPES = {"Row": pa.int64(), "HttpStatus": pa.int16(), "Attempts": pa.int32(), "FieldsSent": pa.list_(pa.string())}
_SCHEMA = pa.schema([(name, _TYPES.get(name, pa.string())) for name in RESULT_COLUMNS], metadata={"comment": ROWS_MARK})
_ROWS_IN_A_GROUP = 50_000


def write_row_file(path: Path, lines: Iterable[ResultLine], counts: Mapping[Status, int]) -> None:
    """Write a record for each row to `path`: Parquet, or JSON Lines if it ends in `.jsonl`.

    `FieldsSent` is a list; a value that is missing is null. `counts` must agree with `lines`. The file is written
    completely or not at all; only its owner can read it. Raises `UsageError` if it cannot be written, `BulkUpdateError`
    if the lines are not those of `counts`.
    """
    checked = compare_with_counts(lines, counts)
    records = (dict(zip(RESULT_COLUMNS, line.list_values(), strict=True)) for line in checked)
    with replace_file(path) as stream:
        if path.suffix.lower() == ".jsonl":
            stream.writelines(f"{json.dumps(record, ensure_ascii=False)}\n".encode() for record in records)
        else:
            _write_parquet(stream, records)


def _write_parquet(stream: BinaryIO, records: Iterator[dict[str, object]]) -> None:
    with pq.ParquetWriter(stream, _SCHEMA) as writer:
        for group in in_chunks(records, _ROWS_IN_A_GROUP):
            writer.write_table(pa.Table.from_pylist(group, _SCHEMA))
