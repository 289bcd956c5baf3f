"""Parquet: typed values by the rules of DataFrames, and limits that a small file cannot evade."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulkupdate.errors import InputFileError
from tests.spreadsheets.reading.making import codes, read, texts, write_text


def write(folder: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), folder / "a.parquet", **options)
    return folder / "a.parquet"


def test_typed_values_become_texts_and_nothing_is_rounded(tmp_path: Path) -> None:
    columns = {
        "CustomerId": pa.array([163, 2**60 + 1, None], pa.int64()),
        "AccountManager1Commission": [Decimal("2.50"), None, Decimal("-0.10")],
        "Comments": pa.array([0.1, None, float("nan")], pa.float32()),
        "IsWholesale": [True, None, False],
        "Name": pa.array(["ä", "", None]).dictionary_encode(),
        "Phone1": pa.array([163.0, None, 2.5]),
        "Phone2": pa.array([1, None, 2], pa.timestamp("ns", "UTC")),
        "Email": [dt.datetime(2026, 1, 2, 3, 4, 5), None, None],
        "BusinessName": [dt.date(2026, 1, 2), None, None],
        "SourceId": pa.nulls(3),
    }
    sheet = read(write(tmp_path, columns))
    assert texts(sheet) == [
        ["163", "2.50", "0.1", "Yes", "ä", "163", "1970-01-01T00:00:00.000000001+00:00", "2026-01-02T03:04:05",
         "2026-01-02", ""],
        ["1152921504606846977", *[""] * 9],
        ["", "-0.10", "", "No", "", "2.5", "1970-01-01T00:00:00.000000002+00:00", *[""] * 3],
    ]  # fmt: skip
    assert (sheet.row_numbers.tolist(), codes(sheet)) == ([1, 2, 3], [])


def test_a_value_that_is_neither_text_nor_number_names_its_row(tmp_path: Path) -> None:
    columns = {
        "CustomerId": ["163", "164", "165", "166"],
        "Comments": pa.array([{"a": 1}, None, {"a": 2}, None]),
        "Name": [None, [1], None, None],
        "Phone1": pa.array([None, None, None, 1e15]),
        "Other": [[1]] * 4,
    }
    sheet = read(write(tmp_path, columns))
    found = [(problem.row, problem.column, str(problem.code)) for problem in sheet.problems]
    assert found == [
        (1, "Comments", "value-type"), (2, "Name", "value-type"), (3, "Comments", "value-type"),
        (4, "Phone1", "lost-digits"),
    ]  # fmt: skip


def test_a_small_file_of_many_or_long_values_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = write(tmp_path, {"CustomerId": pa.nulls(3_000_000, pa.string())})
    assert path.stat().st_size < 10_000
    with pytest.raises(InputFileError, match="more than 1,048,576 rows"):
        read(path)
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000), ["x" * 900_000])  # 90 GB
    path = write(tmp_path, {"CustomerId": repeated}, compression="zstd")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(InputFileError, match="more than 1,000,000 bytes"):
        read(path, max_unpacked_bytes=1_000_000)


def test_a_damaged_incomplete_or_encrypted_file_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path, {"CustomerId": list(range(1, 1000))}).read_bytes()
    damaged = [whole[:-200], whole[: len(whole) // 2], b"PAR1", whole[:100] + b"\xff" * 300 + whole[400:], b"PAR1" * 50]
    for content in damaged:
        with pytest.raises(InputFileError, match=r"cannot be read: it is damaged, incomplete"):
            read(write_text(tmp_path, content, name="b.parquet"))
    with pytest.raises(InputFileError, match="is not what its name says"):
        read(write_text(tmp_path, b"CustomerId\n1\n", name="b.parquet"))


def test_a_lack_of_memory_is_not_taken_for_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object, **_options: object) -> None:
        raise pa.ArrowMemoryError("malloc failed")

    path = write(tmp_path, {"CustomerId": [163]})
    monkeypatch.setattr(pq, "ParquetFile", fail)
    with pytest.raises(MemoryError):
        read(path)
