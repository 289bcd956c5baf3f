"""The binary Excel format: the same care for errors and formats."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading import safe_zip
from bulkupdate.spreadsheets.reading.xlsb_file import _read_rk, _read_text
from tests.spreadsheets.reading.making import codes, read, texts, value_of, write_parts
from tests.spreadsheets.reading.xlsb_making import (
    blank_cell,
    bool_cell,
    error_cell,
    formula_cell,
    hidden_columns,
    merge,
    number_cell,
    record,
    rich_cell,
    rk_cell,
    row,
    shared_cell,
    text,
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
        record(5, struct.pack("<IId", 1, 0, float("inf"))), record(5, struct.pack("<IId", 16_384, 0, 1.0)),
        b"\x06\xff\xff\xff\x7f" + b"x",
    ],
)  # fmt: skip
def test_a_damaged_record_is_refused(tmp_path: Path, damage: bytes) -> None:
    path = write_xlsb(tmp_path / "a.xlsb", [HEADING, row(2, [rk_cell(0, 163), text_cell(1, "Ann"), damage])])
    with pytest.raises(InputFileError, match="is damaged or cut off"):
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


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0x00, "#NULL!"), (0x07, "#DIV/0!"), (0x0F, "#VALUE!"), (0x17, "#REF!"), (0x1D, "#NAME?"), (0x24, "#NUM!"),
        (0x2A, "#N/A"), (0x2B, "#GETTING_DATA"), (0x99, "#N/A"),
    ],
)  # fmt: skip
def test_an_error_is_shown_by_its_name(tmp_path: Path, code: int, name: str) -> None:
    sheet = read(write_xlsb(tmp_path / "a.xlsb", [HEADING, row(2, [rk_cell(0, 163), error_cell(1, code)])]))
    assert (value_of(sheet, "Name"), codes(sheet)) == (name, ["error-cell"])


def test_every_kind_of_cell_is_read_and_formulas_are_counted(tmp_path: Path) -> None:
    rows = [
        HEADING,
        row(2, [number_cell(0, 163.0), rich_cell(1, "Ann 😀"), formula_cell(2, 2.5), formula_cell(3, True)]),
        row(3, [blank_cell(0), formula_cell(1, "ab"), blank_cell(2, 1), formula_cell(3, False)]),
        row(4, [rk_cell(0, 165), formula_cell(1, "#N/A"), number_cell(2, 1e15 - 1), bool_cell(3, False)]),
        row(5, [rk_cell(0, 166), text_cell(1, ""), number_cell(2, 1e15)]),
    ]
    sheet = read(write_xlsb(tmp_path / "a.xlsb", rows))
    assert texts(sheet) == [
        ["163", "Ann 😀", "2.5", "TRUE"], ["", "ab", "", "FALSE"], ["165", "#N/A", "999999999999999", "FALSE"],
        ["166", "", "1000000000000000", ""],
    ]  # fmt: skip
    assert codes(sheet) == ["error-cell", "lost-digits"]
    assert sheet.notes == ("5 formulas were read by their stored values.",)


def test_formats_of_the_file_apply_to_numbers_and_texts(tmp_path: Path) -> None:
    """Styles are numbered among the cell styles only; the low three bytes are the number, the fourth has flags."""
    rows = [
        HEADING,
        row(2, [rk_cell(0, 163, 1), shared_cell(1, 0, 2), number_cell(2, 12.5, 0xFF000003), bool_cell(3, True, 2)]),
        row(3, [rk_cell(0, 164), text_cell(1, "Bob", 2), rk_cell(2, 46026, 4), formula_cell(3, True, 2)]),
        row(4, [rk_cell(0, 165), formula_cell(1, "Cid", 2), rk_cell(2, 5, 5), text_cell(3, "Yes", 3)]),
    ]
    own = {164: '"ID "0', 165: '@" GmbH"', 166: "yyyy-mm-dd"}
    path = write_xlsb(tmp_path / "a.xlsb", rows, ["Ann"], (0, 164, 165, 2, 166), own)
    sheet = read(path)
    assert texts(sheet) == [
        ["ID 163", "Ann GmbH", "12.50", "TRUE"], ["164", "Bob GmbH", "2026-01-04", "TRUE"],
        ["165", "Cid GmbH", "5", "Yes"],
    ]  # fmt: skip
    assert codes(sheet) == ["date"]
    path = write_xlsb(tmp_path / "b.xlsb", rows, ["Ann"], (0, 164, 165, 2, 166), own, is_1904=True)
    assert texts(read(path))[1][2] == "2030-01-05"


def test_hidden_columns_and_merged_cells_are_said(tmp_path: Path) -> None:
    customers = [row(2, [rk_cell(0, 163), text_cell(1, "Ann")]), row(3, [rk_cell(0, 164)])]
    columns = [
        hidden_columns(1, 2), hidden_columns(3, 3, is_hidden=False), hidden_columns(5, 4), hidden_columns(9, 16_383)
    ]  # fmt: skip
    sheet = read(write_xlsb(tmp_path / "a.xlsb", [*columns, HEADING, *customers, merge(2, 3, 1, 2)]))
    assert [(each.row, each.column, each.code) for each in sheet.problems] == [
        (2, "AccountManager1Commission", "merged"), (3, "Name", "merged"), (3, "AccountManager1Commission", "merged"),
    ]  # fmt: skip
    assert sheet.notes == ("2 hidden columns were read.",)
    to_the_edge = [hidden_columns(1, 16_382), HEADING, *customers]
    assert read(write_xlsb(tmp_path / "b.xlsb", to_the_edge)).notes == ("16,382 hidden columns were read.",)


def test_a_hidden_sheet_is_taken_by_name_only_and_a_chart_is_no_sheet(tmp_path: Path) -> None:
    old = [HEADING, row(2, [rk_cell(0, 1), text_cell(1, "Old")])]
    path = write_xlsb(tmp_path / "a.xlsb", ROWS, shared=["x", "Zoë"], other=("Old", old))
    assert (read(path).sheet_name, texts(read(path, sheet="Old"))[0][:2]) == ("Customers", ["1", "Old"])
    with pytest.raises(InputFileError, match=r"Its sheets: Old, Customers\."):
        read(path, sheet="Chart")


@pytest.mark.parametrize("size", [2, 5, 7, 64])
def test_records_are_read_whatever_the_size_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    path = write_xlsb(tmp_path / "a.xlsb", [*ROWS, row(5, [text_cell(1, "x" * 200)])], shared=["x", "Zoë 😀"])
    monkeypatch.setattr(safe_zip, "BLOCK_BYTES", size)
    sheet = read(path)
    assert texts(sheet)[:2] == [["163", "Zoë 😀", "12.50", "TRUE"], ["164", "#N/A", "12.35", ""]]
    assert texts(sheet)[2] == ["", "x" * 200, "", ""]


def test_headings_are_found_down_to_row_30(tmp_path: Path) -> None:
    def write(at: int) -> Path:
        heading = row(at, [text_cell(0, "CustomerId"), text_cell(2, "Name")])
        customer = row(at + 1, [rk_cell(0, 163), text_cell(2, "Ann"), text_cell(3, "note")])
        return write_xlsb(tmp_path / "a.xlsb", [row(1, []), heading, customer])

    assert texts(read(write(30))) == [["163", "", "Ann", "note"]]
    with pytest.raises(InputFileError, match="has no column CustomerId"):
        read(write(31))


@pytest.mark.parametrize(
    "end", [b"\x06\x64", b"\x06\x64" + bytes(90), record(6, struct.pack("<III", 1, 0, 2) + b"abc")]
)
def test_a_record_that_is_cut_off_is_refused(tmp_path: Path, end: bytes) -> None:
    path = write_xlsb(tmp_path / "a.xlsb", [HEADING, row(2, [rk_cell(0, 163), end])])
    content = record(156, struct.pack("<II", 0, 1) + text("rId1") + text("Customers"))
    with zipfile.ZipFile(path) as package:
        parts: dict[str, bytes | str] = {name: package.read(name) for name in package.namelist()}
    sheet = parts["xl/worksheets/sheet1.bin"]
    assert isinstance(sheet, bytes)
    parts["xl/worksheets/sheet1.bin"] = sheet[: sheet.index(end) + len(end)]
    with pytest.raises(InputFileError, match="is damaged or cut off"):
        read(write_parts(tmp_path / "b.xlsb", parts))
    parts["xl/workbook.bin"] = content[:-3]
    with pytest.raises(InputFileError, match="is damaged or cut off"):
        read(write_parts(tmp_path / "c.xlsb", parts))


def test_a_book_without_styles_and_shared_texts_is_read(tmp_path: Path) -> None:
    path = write_xlsb(tmp_path / "a.xlsb", [HEADING, row(2, [rk_cell(0, 163), text_cell(1, "Ann", 3)])])
    with zipfile.ZipFile(path) as package:
        parts: dict[str, bytes | str] = {
            name: package.read(name)
            for name in package.namelist()
            if name not in ("xl/styles.bin", "xl/sharedStrings.bin")
        }
    assert texts(read(write_parts(tmp_path / "b.xlsb", parts))) == [["163", "Ann", "", ""]]


@pytest.mark.parametrize("length", [1, 60, 70, 8_000, 9_000, 1_100_000])
def test_a_text_of_any_length_is_read_whole(tmp_path: Path, length: int) -> None:
    rows = [HEADING, row(2, [rk_cell(0, 163), text_cell(1, "x" * length), bool_cell(3, True)])]
    assert texts(read(write_xlsb(tmp_path / "a.xlsb", rows))) == [["163", "x" * length, "", "TRUE"]]


def test_a_text_that_is_missing_is_blank() -> None:
    missing, there = struct.pack("<I", 0xFFFFFFFF), struct.pack("<I", 2) + "AB".encode("utf-16-le")
    assert _read_text(missing + there, 0) == ("", 4)
    assert _read_text(missing + there, 4) == ("AB", 4 + 4 + 4)
