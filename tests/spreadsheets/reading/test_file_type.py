"""What is said of a file that is missing, of another type, or open in another program."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.customers.models import Severity
from bulkupdate.customers.problem_summary import group_problems
from bulkupdate.errors import InputFileError
from tests.spreadsheets.reading.making import read, write_cell, write_text

GOOD = "CustomerId,Name\n163,Ann\n"


def refuse(path: Path) -> InputFileError:
    with pytest.raises(InputFileError) as caught:
        read(path)
    return caught.value


def test_a_missing_file_is_named_with_its_full_folder_and_the_nearest_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_text(tmp_path, GOOD, name="Customers.csv")
    monkeypatch.chdir(tmp_path)
    assert str(refuse(Path("custmers.csv"))) == (
        f"There is no file custmers.csv in {tmp_path}. Did you mean Customers.csv?"
    )
    other = refuse(Path("nosuch.xlsx"))
    assert str(other) == f"There is no file nosuch.xlsx in {tmp_path}."
    assert other.remedy == "Sheets in that folder: Customers.csv."


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert str(refuse(tmp_path / "nowhere" / "a.csv")) == f"There is no folder {tmp_path / 'nowhere'}."
    path = write_text(tmp_path, GOOD)
    assert "There is no folder" in str(refuse(path / "a.csv"))


def test_an_address_and_a_link_to_nothing_say_so(tmp_path: Path) -> None:
    assert "is an address, which only commands that take --format read" in str(
        refuse(Path("https://example.com/customers.csv"))
    )
    (tmp_path / "dangling.csv").symlink_to("nosuch")
    assert str(refuse(tmp_path / "dangling.csv")) == "dangling.csv is a link to nosuch, which does not exist."


def test_a_folder_lists_its_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        write_text(tmp_path, GOOD, name=f"{number}.csv")
    write_text(tmp_path, "x", name="readme.md")
    assert refuse(tmp_path).remedy == "Sheets in that folder: 0.csv, 1.csv, 2.csv, 3.csv, 4.csv and 2 more."
    monkeypatch.chdir(tmp_path)
    assert str(refuse(Path())) == f"{tmp_path} is a folder, not a file."
    for number in (5, 6):
        (tmp_path / f"{number}.csv").unlink()
    assert refuse(tmp_path).remedy == "Sheets in that folder: 0.csv, 1.csv, 2.csv, 3.csv, 4.csv."


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/null", "-"])
def test_standard_input_and_devices_are_refused_with_a_way_out(name: str) -> None:
    error = refuse(Path(name))
    assert "read standard input" in str(error) or "a device or a pipe" in str(error)
    assert "ave the data in a file whose name ends in .csv" in error.remedy


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("customers.txt", "rename it to customers.csv"),
        ("customers.xlsm", "save it as .xlsx, which has no macros"),
        ("customers.XML", "save it as .xlsx"),
        ("customers.pdf", "Put its table into a spreadsheet"),
        ("customers.numbers", "export it as an Excel file"),
        ("customers.gsheet", "download it as an Excel file"),
        ("customers.json", "Convert it to .csv"),
        ("customers.ndjson", "Rename it to customers.jsonl"),
        ("customers.zip", "Unpack it first"),
    ],
)
def test_an_unsupported_type_says_how_to_convert_it(tmp_path: Path, name: str, remedy: str) -> None:
    error = refuse(write_text(tmp_path, GOOD, name=name))
    supported = ".csv, .tsv, .xlsx, .xls, .xlsb, .ods, .jsonl, .parquet"
    assert str(error) == f"{name} is not a supported file type. Supported: {supported}."
    assert remedy in error.remedy


@pytest.mark.parametrize("mark", ["~$customers.{}", ".~lock.customers.{}#"])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_sheet_that_is_open_elsewhere_is_read_as_last_saved_with_a_warning(
    tmp_path: Path, mark: str, ending: str
) -> None:
    path = write_text(tmp_path, GOOD) if ending == "csv" else write_cell(tmp_path, "x")
    assert read(path).problems == ()
    (tmp_path / mark.format(ending)).write_bytes(b"\x03Ann")
    (problem,) = read(path).problems
    assert (problem.code, problem.severity) == ("open-file", Severity.WARNING)
    (group,) = group_problems([problem])
    assert (group.title, group.where) == (problem.message, "the whole file")


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"%PDF-1.7", "a PDF"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF89a", "a picture"),
        (b"\x1f\x8b", "a packed file"), (b"7z\xbc\xaf", "a packed file"), (b"Rar!", "a packed file"),
        (b"BZh9", "a packed file"), (b"\xfd7zXZ", "a packed file"), (b"{\\rtf1", "an RTF text"),
        (b"SQLite format 3\0", "a database"), (b"\x7fELF", "a program"), (b"PAR1", "a Parquet file"),
        (b" \n<!DOCTYPE html>", "a web page or XML"), (b"<HTML>", "a web page or XML"),
        (b"<?xml ?>", "a web page or XML"),
        (b"PK\x03\x04", "an Excel or zip file"), (b"<table>", "a web page or XML"), (b"<meta>", "a web page or XML"),
    ],
)  # fmt: skip
def test_what_a_file_really_is_is_said(tmp_path: Path, start: bytes, said: str) -> None:
    error = refuse(write_text(tmp_path, start + b"\nCustomerId\n163\n"))
    assert str(error) == f"customers.csv is not what its name says: it is {said}."
    assert error.remedy == "Open it in Excel or LibreOffice and save it as .xlsx or as 'CSV UTF-8'."


@pytest.mark.parametrize("name", ["a.jsonl", "a.xls", "a.parquet", "a.xlsb"])
def test_plain_text_is_not_a_file_of_another_kind(tmp_path: Path, name: str) -> None:
    assert str(refuse(write_text(tmp_path, GOOD, name=name))).endswith("it is plain text or damaged.")


def test_three_names_at_most_are_proposed(tmp_path: Path) -> None:
    for number in range(4):
        write_text(tmp_path, GOOD, name=f"customers{number}.csv")
    assert str(refuse(tmp_path / "customers.csv")).count("customers") == 4
    error = refuse(tmp_path / "customers.csv")
    assert error.remedy == "Check the name."
    (tmp_path / "empty").mkdir()
    assert refuse(tmp_path / "empty" / "a.csv").remedy == "Check the name and the folder."


def test_a_file_may_have_as_many_bytes_as_are_allowed(tmp_path: Path) -> None:
    path = write_text(tmp_path, GOOD)
    assert len(read(path, max_unpacked_bytes=len(GOOD)).frame) == 1
    with pytest.raises(InputFileError, match=f"has more than {len(GOOD) - 1} bytes"):
        read(path, max_unpacked_bytes=len(GOOD) - 1)
