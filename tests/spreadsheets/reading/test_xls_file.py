"""What xlrd says of a damaged or protected .xls file. Its cells are tested with real files in test_workbook."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import xlrd

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading import xls_file
from bulkupdate.spreadsheets.reading.cell_checks import Special
from bulkupdate.spreadsheets.reading.xls_file import XlsSheet, XlsWorkbook

PATH = Path("a.xls")


@pytest.fixture
def open_book(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make xlrd give this book, or raise this error."""

    def open_book(book: Any) -> None:
        def open_workbook(**_options: object) -> Any:
            if isinstance(book, BaseException):
                raise book
            return book

        monkeypatch.setattr(xls_file, "read_stream", lambda *_given: b"")
        monkeypatch.setattr(xlrd, "open_workbook", open_workbook)

    return open_book


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (xlrd.XLRDError("Workbook is encrypted"), "password-protected"),
        (xlrd.XLRDError("No workbook"), "damaged"),
        (IndexError("list index out of range"), "damaged"),
        (AssertionError(), "damaged"),
    ],
)
def test_whatever_xlrd_raises_is_said_in_a_sentence(open_book: Any, error: Exception, said: str) -> None:
    open_book(error)
    with pytest.raises(InputFileError, match=said) as refused:
        XlsWorkbook(PATH)
    assert refused.value.__cause__ is error


def test_an_error_of_the_system_is_passed_on(open_book: Any) -> None:
    open_book(OSError(5, "Input/output error"))
    with pytest.raises(OSError, match="Input/output error"):
        XlsWorkbook(PATH)


@pytest.mark.parametrize("error", [IndexError(), xlrd.XLRDError("x"), InputFileError("too large")])
def test_a_damaged_sheet_is_reported(open_book: Any, error: Exception) -> None:
    def refuse(_name: str) -> None:
        raise error

    open_book(SimpleNamespace(sheet_names=lambda: ["A", "B"], _sheet_visibility=[0, 2], sheet_by_name=refuse))
    workbook = XlsWorkbook(PATH)
    assert list(workbook.sheets) == [("A", False), ("B", True)]
    with pytest.raises(InputFileError, match="too large" if isinstance(error, InputFileError) else "damaged"):
        workbook.open_sheet("A")


class Cells:
    """A sheet of xlrd with one row of cells of these kinds and values; hidden are row 1 and the first two columns."""

    nrows, ncols, show_zero_values = 1, 7, False
    merged_cells = ((0, 2, 1, 3),)
    cells = (
        (xlrd.XL_CELL_BOOLEAN, 1), (xlrd.XL_CELL_BOOLEAN, 0), (xlrd.XL_CELL_ERROR, 0x2A), (xlrd.XL_CELL_TEXT, "007"),
        (xlrd.XL_CELL_NUMBER, 2.0), (xlrd.XL_CELL_BLANK, ""), (xlrd.XL_CELL_ERROR, 0x99),
    )  # fmt: skip

    def __init__(self) -> None:
        self.rowinfo_map = dict(enumerate([SimpleNamespace(hidden=1), SimpleNamespace(hidden=0)]))
        self.colinfo_map = dict(enumerate(SimpleNamespace(hidden=hidden) for hidden in (1, 1, 0, 0, 0, 0, 0, 1)))

    def row_types(self, _row: int) -> list[int]:
        return [kind for kind, _ in self.cells]

    def row_values(self, _row: int) -> list[object]:
        return [value for _, value in self.cells]

    def cell_value(self, _row: int, column: int) -> object:
        return self.cells[column][1]

    def cell_xf_index(self, _row: int, _column: int) -> int:
        return 0


def test_texts_whose_format_shows_more_than_the_text_are_told_with_it() -> None:
    book: Any = SimpleNamespace(
        format_map={5: SimpleNamespace(format_str='@" Ltd"')}, xf_list=[SimpleNamespace(format_key=5)], datemode=0
    )
    cells: Any = Cells()
    special = [cell for cell in XlsSheet(book, cells).metadata.special_cells if cell.special is Special.TEXT]
    assert [(cell.row, cell.column, cell.format_code) for cell in special] == [(1, 3, '@" Ltd"')]


def test_cells_are_shown_as_excel_shows_them_and_what_is_special_is_told() -> None:
    book: Any = SimpleNamespace(format_map={}, xf_list=[SimpleNamespace(format_key=0)], datemode=1)
    cells: Any = Cells()
    sheet = XlsSheet(book, cells)
    assert list(sheet.rows()) == [(1, ["TRUE", "FALSE", "", "007", "2", "", ""], ())]
    assert list(sheet.rows(0)) == []
    metadata = sheet.metadata
    assert (metadata.hidden_rows, metadata.hidden_columns, metadata.is_1904, metadata.hides_zeros) == (1, 2, True, True)
    assert metadata.merges == [(1, 1, 2, 2)]
    assert [(cell.row, cell.column, cell.text) for cell in metadata.special_cells] == [(1, 2, "#N/A"), (1, 6, "#N/A")]
    assert sheet.width == 7
