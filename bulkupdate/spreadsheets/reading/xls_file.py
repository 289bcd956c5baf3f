"""Read an .xls file (Excel 97 to 2003) with xlrd, which reads error cells, formats and hidden rows."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import xlrd
from xlrd.sheet import Sheet as XlrdSheet

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.calamine_book import format_cell
from bulkupdate.spreadsheets.reading.cell_checks import LOST_DIGITS_FROM, Special, SpecialCell
from bulkupdate.spreadsheets.reading.number_format import LOCAL_DATES, code_of, shows_all_as_is, shows_texts_as_is
from bulkupdate.spreadsheets.reading.ole_file import read_stream
from bulkupdate.spreadsheets.reading.open_workbook import SheetMetadata, SheetRow
from bulkupdate.spreadsheets.reading.safe_zip import encrypted_error


class XlsWorkbook:
    """The workbook. Raises `InputFileError` if it is damaged or protected."""

    def __init__(self, path: Path) -> None:
        try:
            self._book = xlrd.open_workbook(
                file_contents=read_stream(path, "Workbook", "Book"),
                formatting_info=True,
                ragged_rows=True,
                on_demand=True,
                logfile=io.StringIO(),
            )
        except xlrd.XLRDError as error:
            raise (encrypted_error(path) if "encrypted" in str(error) else _damaged_error(path)) from error
        except (InputFileError, OSError):
            raise
        except Exception as error:  # a damaged file may cause any exception in xlrd
            raise _damaged_error(path) from error
        self._path = path

    @property
    def sheets(self) -> Sequence[tuple[str, bool]]:
        return [
            (name, visibility != 0)
            for name, visibility in zip(self._book.sheet_names(), self._book._sheet_visibility, strict=True)
        ]

    def open_sheet(self, name: str) -> XlsSheet:
        try:
            return XlsSheet(self._book, self._book.sheet_by_name(name))
        except InputFileError:
            raise
        except Exception as error:  # as above
            raise _damaged_error(self._path) from error


class XlsSheet:
    """A sheet of the workbook."""

    def __init__(self, book: xlrd.Book, sheet: XlrdSheet) -> None:
        self._book = book
        self._sheet = sheet
        own = {number: style.format_str for number, style in book.format_map.items() if number not in LOCAL_DATES}
        self._codes = [code_of(style.format_key, own) for style in book.xf_list]
        self.metadata = SheetMetadata(
            merges=[(top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells],
            hidden_rows=sum(1 for row in sheet.rowinfo_map.values() if row.hidden),
            hidden_columns=sum(
                1 for index, column in sheet.colinfo_map.items() if column.hidden and index < sheet.ncols
            ),
            is_1904=bool(book.datemode),
            hides_zeros=not sheet.show_zero_values,
        )
        for cell in self._special_cells():
            self.metadata.add_special(cell)

    @property
    def width(self) -> int:
        return int(self._sheet.ncols)

    def rows(self, count: int | None = None) -> Iterator[SheetRow]:
        for index in range(self._sheet.nrows if count is None else min(count, self._sheet.nrows)):
            kinds, values = self._sheet.row_types(index), self._sheet.row_values(index)
            yield index + 1, [_show(kind, value) for kind, value in zip(kinds, values, strict=True)], ()

    def _special_cells(self) -> Iterator[SpecialCell]:
        for index in range(self._sheet.nrows):
            for column, kind in enumerate(self._sheet.row_types(index)):
                if kind == xlrd.XL_CELL_ERROR:
                    text = xlrd.error_text_from_code.get(self._sheet.cell_value(index, column), "#N/A")
                    yield SpecialCell(index + 1, column, Special.ERROR, text)
                elif kind == xlrd.XL_CELL_TEXT:
                    code = self._codes[self._sheet.cell_xf_index(index, column)]
                    if not shows_texts_as_is(code):
                        yield SpecialCell(index + 1, column, Special.TEXT, format_code=code)
                elif kind in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE):
                    number = self._sheet.cell_value(index, column)
                    code = self._codes[self._sheet.cell_xf_index(index, column)]
                    if not shows_all_as_is(code) or abs(number) >= LOST_DIGITS_FROM:
                        yield SpecialCell(index + 1, column, Special.NUMBER, number=number, format_code=code)


def _show(kind: int, value: object) -> str:
    if kind == xlrd.XL_CELL_BOOLEAN:
        return "TRUE" if value else "FALSE"
    return format_cell(value) if kind in (xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_DATE, xlrd.XL_CELL_TEXT) else ""


def _damaged_error(path: Path) -> InputFileError:
    return InputFileError(
        f"{path.name} is damaged, or of a version before Excel 97.", remedy="Open it in Excel and save it as .xlsx."
    )
