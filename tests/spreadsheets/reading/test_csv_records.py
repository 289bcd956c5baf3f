"""Records of text files: numbers of rows, what is said of odd ones, and limits at their borders."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading import csv_records, text_encoding
from bulkupdate.spreadsheets.reading.text_encoding import detect_encoding, sample_texts
from tests.spreadsheets.reading.making import codes, read, texts, write_text


def test_a_row_with_too_many_fields_says_how_many_and_which(tmp_path: Path) -> None:
    (problem,) = read(write_text(tmp_path, f"CustomerId,Name\n163,Ann,x, ,{'y' * 300}\n164,Bob\n")).problems
    assert problem.message == "the row has 5 fields, but there are 2 headings"
    assert problem.value == f"x, {'y' * 300}"[:200]


def test_short_rows_are_counted_without_blank_ones(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "CustomerId,Name,Email\n163,Ann\n\n\n164,Bob,b@example.com\n"))
    assert sheet.notes == (
        "Read as UTF-8, columns separated by commas.",
        "1 row has fewer fields than there are headings; the missing ones are blank.",
    )


def test_a_broken_row_shows_the_fields_with_the_marks(tmp_path: Path) -> None:
    text = f'CustomerId,Name,Email,Fax\n163,"Ann" x,b"b,{"y" * 300}"\n164,Bob,,\n'
    sheet = read(write_text(tmp_path, text))
    assert codes(sheet) == ["broken-quotes"]
    assert sheet.problems[0].value == f'"Ann" x … b"b … {"y" * 300}"'[:200]


def test_a_broken_row_with_fields_too_many_is_broken_only(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, 'CustomerId,Name\n163,"Ann" x,y,z\n164,Bob\n'))
    assert (codes(sheet), texts(sheet)) == (["broken-quotes"], [["163", '"Ann" x'], ["164", "Bob"]])


def test_the_rows_that_a_broken_one_would_have_swallowed_are_doubtful_and_no_others(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, 'CustomerId,Name\n163,Ann\n164,"Bob\n165,Cid\n166,"Dan" x\n167,Eve\n'))
    assert [(each.row, each.code) for each in sheet.problems] == [
        (3, "broken-quotes"), (4, "broken-quotes"), (5, "broken-quotes"),
    ]  # fmt: skip
    assert sheet.row_numbers.tolist() == [2, 3, 4, 5, 6]


def test_a_hundred_broken_rows_are_problems_and_one_more_refuses_the_file(tmp_path: Path) -> None:
    rows = "CustomerId,Name\n163,Ann\n" + '164,"a"b\n' * csv_records.MAX_BROKEN_ROWS
    assert len(read(write_text(tmp_path, rows)).problems) == 100
    with pytest.raises(InputFileError, match="from row 3 on, the quotation marks of more than 100 rows"):
        read(write_text(tmp_path, rows + '164,"a"b\n'))


def test_blank_lines_count_as_rows_in_the_limit(tmp_path: Path) -> None:
    path = write_text(tmp_path, "\nCustomerId,Name\n163,Ann\n\n164,Bob\n")
    assert read(path, max_rows=3).row_numbers.tolist() == [3, 5]
    with pytest.raises(InputFileError, match="more than 2 rows, blank ones included"):
        read(path, max_rows=2)


def test_a_line_may_be_long_and_a_field_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_records, "MAX_LINE", 100)
    head = "CustomerId,Name\n"
    assert texts(read(write_text(tmp_path, f"{head}163,{'x' * 94}\n"))) == [["163", "x" * 94]]
    with pytest.raises(InputFileError, match="it has a line of 100 characters or more"):
        read(write_text(tmp_path, f"{head}163,{'x' * 95}\n"))
    monkeypatch.undo()
    monkeypatch.setattr(csv_records, "MAX_FIELD", 50)
    assert codes(read(write_text(tmp_path, f"{head}163,{'x' * 50}\n"))) == []
    assert codes(read(write_text(tmp_path, f"{head}163,{'x' * 51}\n"))) == ["broken-quotes"]


@pytest.mark.parametrize("line", ["sep=;", '"sep=;" ', "sep=", "sep=;;", "see=;"])
def test_only_a_line_that_names_one_separator_is_not_a_row(tmp_path: Path, line: str) -> None:
    sheet = read(write_text(tmp_path, f"{line}\nCustomerId;Name\n163;Ann\n"))
    is_named = line.strip(' "') == "sep=;"
    assert (sheet.header.number, texts(sheet)) == (1 if is_named else 2, [["163", "Ann"]])


def test_of_two_separators_the_one_with_more_headings_counts(tmp_path: Path) -> None:
    assert texts(read(write_text(tmp_path, "CustomerId,x;Name;Email\n1,y;Ann;a\n"))) == [["1", "y;Ann;a"]]
    sheet = read(write_text(tmp_path, "CustomerId;Name;Email\n163;Ann;a@example.com\n"))
    assert sheet.notes[0] == "Read as UTF-8, columns separated by semicolons."
    with pytest.raises(InputFileError, match=r"has no column CustomerId in its first 30 rows\. Found: Nr, Name, x\."):
        read(write_text(tmp_path, " ; \nNr;Name;x\n1,2;x\n"))


def test_headings_are_found_down_to_row_30(tmp_path: Path) -> None:
    assert read(write_text(tmp_path, "x\n" * 29 + "CustomerId,Name\n163,Ann\n")).header.number == 30
    with pytest.raises(InputFileError, match="has no column CustomerId"):
        read(write_text(tmp_path, "x\n" * 30 + "CustomerId,Name\n163,Ann\n"))


def test_formulas_of_text_and_apostrophes_are_counted_in_notes(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, 'CustomerId,Name,Fax\n"=""163""",\'=1,"=""5"""\n164,\'+2,\n165,Cid,"=""7"""\n'))
    assert texts(sheet) == [["163", "=1", "5"], ["164", "+2", ""], ["165", "Cid", "7"]]
    assert sheet.notes[1:] == (
        '3 cells written as ="text": the text was read.',
        "2 cells with an apostrophe before = + - or @: it was removed.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("codec", "content", "first"),
    [
        ("utf-16-le", "Zoë,x\n", "Zoë"),
        ("utf-8", "a\nÄ;Ö\nÜ\nß\n", "Ä"),
        ("utf-8", "é" * 90, "é" * 60),
        ("utf-8", '"é"', "é"),
    ],
)
def test_samples_are_the_first_cells_outside_ascii(tmp_path: Path, codec: str, content: str, first: str) -> None:
    found = sample_texts(write_text(tmp_path, content, encoding=codec), codec)
    assert found[0] == first
    assert len(found) == (3 if "Ü" in content else 1)
    assert sample_texts(write_text(tmp_path, b"\xff\xe9"), "utf-8") == ()


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_an_encoding_is_found_whatever_the_size_of_a_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(text_encoding, "BLOCK_BYTES", size)
    head = "CustomerId,Name\n163,"
    assert detect_encoding(write_text(tmp_path, f"{head}Zoë 😀\n")).codec == "utf-8"
    for encoding in ("utf-16-le", "utf-16-be", "utf-16", "cp1252"):
        path = write_text(tmp_path, f"{head}Zoë\n", encoding=encoding)
        assert detect_encoding(path).codec == encoding
    with pytest.raises(InputFileError, match="byte 0xE9 in line 2, character 9, is not UTF-8"):
        detect_encoding(write_text(tmp_path, f"{head}Zoë".encode() + b"x\xe9\n"))
    with pytest.raises(InputFileError, match="byte 0xC3 in line 3, character 3, cannot be read"):
        detect_encoding(write_text(tmp_path, f"{head}Zoë\nab".encode() + b"\xc3"), "utf-8")
    with pytest.raises(InputFileError, match="NUL character in line 3"):
        detect_encoding(write_text(tmp_path, f"{head}Ann\nx\0\n"))
