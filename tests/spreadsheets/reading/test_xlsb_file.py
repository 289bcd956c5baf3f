"""The binary Excel format: the same care for errors and formats."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.xlsb_file import _read_rk
from tests.spreadsheets.reading.making import codes, read, texts
from tests.spreadsheets.reading.xlsb_making import (
    bool_cell,
    error_cell,
    number_cell,
    record,
    rk_cell,
    row,
    shared_cell,
    text_cell,
    write_xlsb,
)

HEADING = row(
    1,
    [
        text_cell(0, "CustomerId"),
        text_cell(1, "Name"),
        text_cell(2, "AccountManager1Commission"),
        text_cell(3, "IsWholesale"),
    ],
)
ROWS = [
    HEADING,
    row(2, [rk_cell(0, 163), shared_cell(1, 1), number_cell(2, 12.5, 1), bool_cell(3, True)]),
    row(4, [rk_cell(0, 164), error_cell(1, 0x2A), number_cell(2, 12.345, 1)], hidden=True),
]


def test_values_errors_formats_and_hidden_rows_are_read(tmp_path: Path) -> None:
    sheet = read(write_xlsb(tmp_path / "a.xlsb", ROWS, shared=["x", "Zoë 😀"]))
    assert texts(sheet) == [["163", "Zoë 😀", "12.50", "TRUE"], ["164", "#N/A", "12.35", ""]]
    assert sheet.row_numbers.tolist() == [2, 4]
    assert codes(sheet) == ["error-cell", "rounded-display"]
    assert "1 hidden row was read." in sheet.notes


def test_calamine_reads_the_same_values_from_the_same_file(tmp_path: Path) -> None:
    """So the file of this test is what it claims to be."""
    path = write_xlsb(tmp_path / "a.xlsb", ROWS, shared=["x", "Zoë 😀"])
    values = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert values[1] == [163.0, "Zoë 😀", 12.5, True]


@pytest.mark.parametrize(
    "damage",
    [
        record(6, struct.pack("<II", 1, 0) + struct.pack("<I", 1 << 30)), record(7, struct.pack("<III", 1, 0, 99)),
        record(5, b"x"), record(5, struct.pack("<IId", 1, 0, float("nan"))),
        record(5, struct.pack("<IId", 1 << 30, 0, 1.0)),
        b"\x06\xff\xff\xff\x7f" + b"x",
    ],
)  # fmt: skip
def test_a_damaged_record_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = write_xlsb(tmp_path / "a.xlsb", [HEADING, row(2, [rk_cell(0, 163), text_cell(1, "Ann"), damage])])
    with pytest.raises(InputFileError):
        read(path)


@pytest.mark.parametrize(
    ("packed", "number"),
    [
        (7 << 2 | 2, 7), (7 << 2 | 3, 0.07), (0xFFFFFFFC | 2, -1), (0xFFFFFFFC | 3, -0.01), (0x80000000 | 2, -(2**29)),
        (0x3FF00000, 1.0), (0x3FF00001, 0.01), (0xC0590000, -100.0), (2, 0),
    ],
)  # fmt: skip
def test_numbers_in_short_form(packed: int, number: float) -> None:
    assert _read_rk(packed) == number
