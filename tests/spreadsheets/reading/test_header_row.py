"""Which row has the headings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from bulkupdate.errors import InputFileError, UsageError
from tests.spreadsheets.reading.making import read, texts, write_sheets, write_text


@pytest.mark.parametrize(
    "heading", ["customer id", " CustomerID ", "CUSTOMER_ID", "Customer-Id", "customer.id", "\ufeffCustomerId"]
)
def test_the_key_column_is_known_by_many_headings(tmp_path: Path, heading: str) -> None:
    sheet = read(write_text(tmp_path, f"{heading},E-mail\n163,a@b.c\n"))
    assert texts(sheet) == [["163", "a@b.c"]]
    assert sheet.headings[1] == "E-mail"


def test_titles_above_the_headings_are_passed_over(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "Customers of May\nas of,2026-05-01\n\nCustomerId,Name\n163,Ann\n"))
    assert (sheet.header.number, sheet.row_numbers.tolist()) == (4, [5])


def test_a_mapped_heading_is_found_in_a_file(tmp_path: Path) -> None:
    path = write_text(tmp_path, "Kundennr;Name\n163;Ann\n")
    assert read(path, heading_map={"Kundennr": "CustomerId"}).headings == ("Kundennr", "Name")


def test_a_map_to_no_field_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean CustomerId"):
        read(write_text(tmp_path, "CustomerId,Name\n163,Ann\n"), heading_map={"Nr": "CustomrId"})


def test_a_map_of_the_key_that_is_not_in_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="“Kundennr”, which is mapped to it, is not there either") as caught:
        read(write_text(tmp_path, "Customer No,Name\n163,Ann\n"), heading_map={"Kundennr": "CustomerId"})
    assert '--map "Customer No=CustomerId"' in caught.value.remedy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Nr,Name\n163,Ann\n", "no column CustomerId"),
        ("CustomerId,Name\n", "no rows"),
        ("CustomerId,Name\n ,\n,\n", "no rows"),
        ("\n\n", "no column CustomerId"),
        ("hello", "no column CustomerId"),
    ],
)
def test_a_file_that_cannot_be_a_sheet_of_updates_is_refused_in_a_sentence(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(InputFileError, match=said) as caught:
        read(write_text(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_sheet_of_ids_alone_can_be_read_for_export(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "CustomerId\n163\n"))
    assert sheet.customer_ids == ["163"]


SECOND_TABLE = (
    ["CustomerId", "Name"],
    ["163", "Ann"],
    ["164", "Bob"],
    [],
    ["CustomerId", "Name", "Email"],
    ["165", "Cid", "c@example.com"],
)


@pytest.mark.parametrize("rows_between", [0, 100])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_two_rows_of_headings_are_refused_with_both_rows(tmp_path: Path, kind: str, rows_between: int) -> None:
    """The customers above the second would be lost without a word, or those below it misread."""
    more = [[str(200 + number), "Dan"] for number in range(rows_between)]
    with pytest.raises(InputFileError, match=f"headings in row 1 and in row {5 + rows_between}"):
        read(write_table(tmp_path, kind, (*SECOND_TABLE[:3], *more, *SECOND_TABLE[3:])))


def test_a_row_with_an_id_is_not_a_second_row_of_headings(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "CustomerId,Comments\n163,Customer ID\n"))
    assert texts(sheet) == [["163", "Customer ID"]]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_headings_below_the_first_row_are_said(tmp_path: Path, kind: str) -> None:
    sheet = read(write_table(tmp_path, kind, (["Our customers"], ["Name", "of", "all"], *SECOND_TABLE[4:])))
    assert sheet.header.number == 3
    assert "The headings are in row 3; the rows above them were ignored." in sheet.notes


def write_table(folder: Path, kind: str, rows: Sequence[Sequence[str]]) -> Path:
    path = folder / f"table.{kind}"
    if kind == "csv":
        path.write_text("".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")
        return path
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, 1):
        for column, text in enumerate(row, 1):
            book.worksheets[0].cell(number, column, text)
    book.save(path)
    return path


@pytest.mark.parametrize("where", ["customers.csv", "The sheet “May”"])
def test_a_second_table_is_refused_with_the_place_of_its_headings(tmp_path: Path, where: str) -> None:
    rows: list[list[object]] = [["CustomerId", "Name"], [163, "Ann"], ["CustomerId", "Fax"], [164, "7"]]
    if where == "customers.csv":
        path = write_text(tmp_path, "".join(f"{','.join(map(str, row))}\n" for row in rows))
    else:
        path = write_sheets(tmp_path, {"May": rows})
    with pytest.raises(InputFileError, match=f"^{where} has headings in row 1 and in row 3"):
        read(path)


def test_a_row_with_one_heading_among_other_texts_is_no_second_table(tmp_path: Path) -> None:
    sheet = read(write_text(tmp_path, "CustomerId,Comments,Fax\n163,a,1\nsee above,Customer ID,2\n"))
    assert texts(sheet)[1] == ["see above", "Customer ID", "2"]
