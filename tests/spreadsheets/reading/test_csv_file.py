"""Text files: encodings, delimiters, quotation marks, fields and row numbers."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading import csv_records
from tests.spreadsheets.reading.making import codes, read, texts, write_text

GOOD = "CustomerId,Name\r\n163,Zoë Müller\r\n"


@pytest.mark.parametrize(
    ("encoding", "mark", "said"),
    [
        ("utf-8", b"", "UTF-8"), ("utf-8", codecs.BOM_UTF8, "UTF-8"), ("utf-16-le", codecs.BOM_UTF16_LE, "UTF-16"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "UTF-16"), ("utf-16-le", b"", "UTF-16"), ("utf-16-be", b"", "UTF-16"),
        ("cp1252", b"", "Windows-1252"),
    ],
)  # fmt: skip
def test_every_common_encoding_is_read_and_named(tmp_path: Path, encoding: str, mark: bytes, said: str) -> None:
    sheet = read(write_text(tmp_path, mark + GOOD.encode(encoding)))
    assert sheet.headings == ("CustomerId", "Name")
    assert texts(sheet) == [["163", "Zoë Müller"]]
    assert sheet.notes[0].startswith(f"Read as {said},")


def test_bytes_of_no_encoding_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="neither UTF-8"):
        read(write_text(tmp_path, b"CustomerId,Name\n163,\x81\x8d\n"))


@pytest.mark.parametrize(("delimiter", "said"), [(",", "commas"), (";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_the_delimiter_is_found_by_the_headings(tmp_path: Path, delimiter: str, said: str) -> None:
    text = delimiter.join(["CustomerId", "Name", "Comments"]) + "\n" + delimiter.join(["163", "Ann", '"a, b; c|d\te"'])
    sheet = read(write_text(tmp_path, text))
    assert texts(sheet) == [["163", "Ann", "a, b; c|d\te"]]
    assert said in sheet.notes[0]


def test_a_tsv_file_has_tabs(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "CustomerId\tName\n163\tAnn, Bob\n", name="customers.tsv"))
    assert texts(sheet) == [["163", "Ann, Bob"]]


def test_a_separator_line_is_no_row_as_excel_takes_it_off(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "sep=;\r\nCustomerId;Name\r\n163;Ann\r\n"))
    assert (sheet.header.number, sheet.row_numbers.tolist(), texts(sheet)) == (1, [2], [["163", "Ann"]])


@pytest.mark.parametrize(("name", "start"), [("a.tsv", ""), ("a.csv", "sep=;\n")])
def test_where_the_separator_is_certain_no_other_one_is_tried(tmp_path: Path, name: str, start: str) -> None:
    sheet = read(write_text(tmp_path, f"{start}CustomerId\n163,5\n", name=name))
    assert (texts(sheet), sheet.problems) == ([["163,5"]], ())


def test_row_numbers_are_excels_over_blank_lines_and_quoted_line_breaks(tmp_path: Path) -> None:
    text = '\nCustomerId,Name\n1,"Ann\nof\r\nOslo"\n\n,\n  ,\n2,Bob\n'
    sheet = read(write_text(tmp_path, text))
    assert sheet.header.number == 2
    assert sheet.row_numbers.tolist() == [3, 7]
    assert texts(sheet) == [["1", "Ann\nof\r\nOslo"], ["2", "Bob"]]


@pytest.mark.parametrize(
    "value", ["NA", "null", "None", "nan", "NaN", "#N/A", "007", "TRUE", "1e5", "+49", " x ", "1_000", "\u200b"]
)
def test_no_value_is_ever_turned_into_a_blank_or_a_number(tmp_path: Path, value: str) -> None:
    assert texts(read(write_text(tmp_path, f"CustomerId,Name\n163,{value}\n"))) == [["163", value]]


def test_one_field_too_many_is_a_problem_of_that_row_and_shifts_nothing(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "CustomerId,Name\n163,Smith, John\n164,Ann\n"))
    assert texts(sheet) == [["163", "Smith"], ["164", "Ann"]]
    (problem,) = sheet.problems
    assert (problem.row, problem.code, problem.customer_id) == (2, "too-many-fields", "163")


def test_blank_fields_too_many_are_no_problem(tmp_path: Path) -> None:
    assert not read(write_text(tmp_path, "CustomerId,Name\n163,Ann,,\n")).problems


def test_missing_fields_are_blanks_and_counted_in_a_note(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "CustomerId,Name,Email\n163,Ann\n164\n"))
    assert texts(sheet) == [["163", "Ann", ""], ["164", "", ""]]
    assert "2 rows have fewer fields" in sheet.notes[1]


def test_equal_and_unknown_headings_are_neither_renamed_nor_lost(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "CustomerId,Email,Email,Colour,\n163,a@b.c,d@e.f,red,\n"))
    assert sheet.headings == ("CustomerId", "Email", "Email", "Colour")


def test_a_column_without_heading_but_with_content_is_kept(tmp_path: Path) -> None:
    assert read(write_text(tmp_path, "CustomerId,Name,\n163,Ann,x\n")).headings == ("CustomerId", "Name", "")


@pytest.mark.parametrize("broken", ['164,"Ann', '164,"Ann" x', '164,"Ann\n"x'])
def test_a_quotation_mark_left_open_does_not_swallow_the_rows_after_it(tmp_path: Path, broken: str) -> None:
    sheet = read(write_text(tmp_path, f'CustomerId,Name\n163,Eve\n{broken}\n165,"Bob"\n166,Cid\n'))
    assert codes(sheet)[0] == "broken-quotes"
    assert sheet.problems[0].row == 3
    assert ["166", "Cid"] in texts(sheet)
    assert ["165", "Bob"] in texts(sheet)


def test_too_many_broken_rows_are_not_csv(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="not a valid CSV"):
        read(write_text(tmp_path, "CustomerId,Name\n" + '163,"a"b\n' * (csv_records.MAX_BROKEN_ROWS + 1)))


def test_a_row_may_not_fill_the_memory(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="a line of"):
        read(write_text(tmp_path, "CustomerId,Name\n163," + "x" * csv_records.MAX_LINE))


@pytest.mark.parametrize("text", ["=1+1", "+49 30", "-5", "@x", "\tx", "'=1"])
def test_the_apostrophe_of_our_own_csv_files_comes_off(tmp_path: Path, text: str) -> None:
    sheet = read(write_text(tmp_path, f"CustomerId,Name\n163,'{text}\n164,'tis\n165,{text}\n"))
    assert texts(sheet) == [["163", text], ["164", "'tis"], ["165", text if text[0] != "'" else "=1"]]
    assert any("apostrophe" in note for note in sheet.notes)


def test_a_cell_over_excels_length_is_kept(tmp_path: Path) -> None:
    assert texts(read(write_text(tmp_path, f"CustomerId,Name\n163,{'x' * 40_000}\n"))) == [["163", "x" * 40_000]]
