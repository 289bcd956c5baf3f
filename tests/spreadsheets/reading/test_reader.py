"""Files of every kind are read by one function, which ends with a sentence whatever happens in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.errors import InputFileError, ReaderBugError
from bulkupdate.spreadsheets.reading import reader
from tests.spreadsheets.reading.making import options, write_sheets, write_text


def write_book(folder: Path) -> Path:
    """Two visible sheets and a hidden one."""
    sheets: dict[str, list[list[object]]] = {
        title: [["CustomerId", title], [163, "x"]] for title in ("Customers", "Notes", "Old")
    }
    return write_sheets(folder, sheets, hidden=("Old",))


def test_the_tops_of_all_visible_sheets_are_shown(tmp_path: Path) -> None:
    tops = reader.read_tops(write_book(tmp_path), options())
    assert [top.sheet_name for top in tops] == ["Customers", "Notes"]
    assert list(tops[1].rows) == [(1, ["CustomerId", "Notes"]), (2, ["163", "x"])]


@pytest.mark.parametrize("name", ["Notes", "Old"])
def test_the_top_of_the_sheet_that_is_named_is_shown(tmp_path: Path, name: str) -> None:
    (top,) = reader.read_tops(write_book(tmp_path), options(sheet=name))
    assert (top.sheet_name, next(iter(top.rows))[1]) == (name, ["CustomerId", name])


def test_the_tops_of_a_text_have_no_name_and_are_one_for_each_way_to_separate_columns(tmp_path: Path) -> None:
    tops = reader.read_tops(write_text(tmp_path, "CustomerId;Name\n163;Ann\n"), options())
    assert {top.sheet_name for top in tops} == {None}
    assert [cells for _, cells in tops[1].rows] == [["CustomerId", "Name"], ["163", "Ann"]]


@pytest.mark.parametrize("text", ["", b"PK\x03\x04" + bytes(50), b"CustomerId\n\x81\x8d\x8f\n"])
def test_a_file_that_cannot_be_read_has_no_top(tmp_path: Path, text: str | bytes) -> None:
    assert reader.read_tops(write_text(tmp_path, text), options()) == []


def test_a_bug_of_the_reader_ends_with_a_sentence_and_a_way_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> None:
        raise ZeroDivisionError("a cell's text")

    monkeypatch.setattr(reader, "read_csv_file", fail)
    with pytest.raises(ReaderBugError) as failed:
        reader.read_sheet(write_text(tmp_path, "CustomerId\n163\n"), options())
    assert str(failed.value) == (
        "customers.csv cannot be read: the program itself failed while reading it (ZeroDivisionError)."
    )
    assert "Save it in Excel as another kind of file" in str(failed.value.remedy)


def test_a_lack_of_memory_is_not_taken_for_a_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object) -> None:
        raise MemoryError

    monkeypatch.setattr(reader, "read_csv_file", fail)
    with pytest.raises(MemoryError):
        reader.read_sheet(write_text(tmp_path, "CustomerId\n163\n"), options())


def test_a_file_without_read_permission_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write_text(tmp_path, "CustomerId\n163\n")
    for failing in ("read_csv_file", "recognize_file"):
        with monkeypatch.context() as patch:
            patch.setattr(reader, failing, refuse)
            with pytest.raises(InputFileError, match=r"customers\.csv cannot be opened: Permission denied\."):
                reader.read_sheet(path, options())
