from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from bulkupdate.spreadsheets.reading.reader import read_sheet
from bulkupdate.spreadsheets.reading.sheet import ReadOptions
from bulkupdate.spreadsheets.writing.customer_sheet import Remark, RestoredValue, write_customer_sheet
from bulkupdate.spreadsheets.writing.own_files import OwnFileKind

NAMES = ("Name", "Rating")
ROWS = [("163", "Anna", "Very satisfied"), ("164", "=1+1", "")]
REMARKS = [Remark("163", "Comments", "x\x07", "has 40,000 characters")]
RESTORED = [RestoredValue("163", "Name", "Bob", "Anna")]
OPTIONS = ReadOptions(None, {}, 1_000, 100_000, 100_000_000)


def write(path: Path, kind: OwnFileKind = OwnFileKind.UNDO) -> openpyxl.Workbook:
    write_customer_sheet(path, NAMES, ROWS, REMARKS, kind, RESTORED if kind is OwnFileKind.UNDO else ())
    return openpyxl.load_workbook(path)


def test_the_sheet_can_be_given_back_as_it_is(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx")
    sheet = read_sheet(tmp_path / "a.xlsx", OPTIONS)
    assert (sheet.sheet_name, sheet.problems) == ("Customers", ())
    assert sheet.frame.to_numpy().tolist() == [list(row) for row in ROWS]


def test_it_helps_as_the_template_does(tmp_path: Path) -> None:
    sheet = write(tmp_path / "a.xlsx")["Customers"]
    assert [bool(cell.comment) for cell in sheet[1]] == [True] * 3
    assert [str(each.sqref) for each in sheet.data_validations.dataValidation] == ["C2:C1048576"]
    assert [str(each.sqref) for each in sheet.conditional_formatting] == ["A2:A1048576"]
    assert (sheet.freeze_panes, sheet.print_title_cols, sheet.print_title_rows) == ("B2", "$A:$A", "$1:$1")


@pytest.mark.parametrize(
    ("kind", "titles", "says"),
    [
        (OwnFileKind.EXPORT, ["Customers", "Left out", "Instructions"], "only-changes"),
        (OwnFileKind.UNDO, ["Customers", "Values", "Left out", "Instructions"], "before the run"),
    ],
)
def test_instructions_say_what_to_do_with_it(tmp_path: Path, kind: OwnFileKind, titles: list[str], says: str) -> None:
    book = write(tmp_path / "a.xlsx", kind)
    assert book.sheetnames == titles
    texts = [str(value) for row in book["Instructions"].values for value in row if value]
    assert any(says in text for text in texts)
    assert {"CustomerId: must be filled in", *NAMES} <= set(texts)
    assert "Email" not in texts, "only the fields of this sheet are explained"


def test_what_the_run_sent_stands_beside_what_would_be_restored(tmp_path: Path) -> None:
    book = write(tmp_path / "a.xlsx")
    assert list(book["Values"].values) == [
        ("Customer", "Field", "Sent by the run", "Value before the run"), ("163", "Name", "Bob", "Anna"),
    ]  # fmt: skip
    assert list(book["Left out"].values)[1] == ("163", "Comments", "x␇", "has 40,000 characters")


def test_a_csv_holds_the_customers_alone(tmp_path: Path) -> None:
    write_customer_sheet(tmp_path / "a.csv", NAMES, ROWS, REMARKS, OwnFileKind.UNDO, RESTORED)
    text = (tmp_path / "a.csv").read_text("utf-8-sig")
    assert text == "CustomerId,Name,Rating\n163,Anna,Very satisfied\n164,'=1+1,\n"
