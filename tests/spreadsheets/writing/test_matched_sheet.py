"""The user's own sheet with the ids filled in: as a copy with its formats, as a plain table, and as CSV."""

from __future__ import annotations

from pathlib import Path

from openpyxl import Workbook, load_workbook

from bulkupdate.spreadsheets.writing.matched_sheet import MatchedTable, write_matched_sheet
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind, find_own_kind

TABLE = MatchedTable(
    headings=("Email", "Name", "CustomerId"),
    row_numbers=[3, 5],
    rows=[("a@x.com", "=1+1", "163"), ("b@x.com", "B", "")],
    id_column=2,
    explanations={3: "=found by Email", 5: "no customer"},
    places=(0, 2, 3),
)


def write_source(path: Path) -> None:
    """A title row, the headings in row 2, a column that is not ours, a blank row."""
    book = Workbook()
    book.active.title = "List"
    rows = [["Title"], ["Email", "Reason", "Name"], ["a@x.com", "x", "A"], [], ["b@x.com", "y", "B"]]
    for row in rows:
        book.active.append(row)
    book.create_sheet("Other")["A1"] = "kept"
    book.save(path)


def test_a_workbook_is_copied_with_everything_in_its_place(tmp_path: Path) -> None:
    write_source(tmp_path / "source.xlsx")
    assert write_matched_sheet(tmp_path / "m.xlsx", TABLE, tmp_path / "source.xlsx", "List", 2) == []
    book = load_workbook(tmp_path / "m.xlsx")
    assert list(book["List"].iter_rows(values_only=True)) == [
        ("Title", None, None, None, None), ("Email", "Reason", "Name", "CustomerId", "Match"),
        ("a@x.com", "x", "A", 163, "=found by Email"), (None,) * 5, ("b@x.com", "y", "B", None, "no customer"),
    ]  # fmt: skip
    assert book["List"]["E3"].data_type == "s", "a text is never taken for a formula"
    assert book["Other"]["A1"].value == "kept"


def test_what_cannot_be_copied_is_written_as_a_table(tmp_path: Path) -> None:
    (tmp_path / "source.xlsx").write_bytes(b"PK no workbook")
    for name in ("m.xlsx", "m.csv"):
        write_matched_sheet(tmp_path / name, TABLE, tmp_path / "source.xlsx", "List", 2)
        assert find_own_kind(tmp_path / name) is (OwnFileKind.MATCHED if name == "m.xlsx" else None)
    rows = list(load_workbook(tmp_path / "m.xlsx").active.iter_rows(values_only=True))
    assert rows[1] == ("a@x.com", "=1+1", "163", "=found by Email")
    lines = (tmp_path / "m.csv").read_text("utf-8-sig").splitlines()
    assert lines == ["Email,Name,CustomerId,Match", "a@x.com,'=1+1,163,'=found by Email", "b@x.com,B,,no customer"]
