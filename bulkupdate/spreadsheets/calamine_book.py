"""python-calamine, the Rust reader behind .xlsx and .xlsb: all of its exceptions are translated here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from python_calamine import CalamineSheet, CalamineWorkbook

from bulkupdate.errors import RefusedFileError
from bulkupdate.spreadsheets.shown_number import show_plain
from bulkupdate.spreadsheets.special_cells import LOST_DIGITS_FROM

MOST_KEPT_TEXTS = 100_000

T = TypeVar("T")


class CalamineBook:
    """A workbook opened by calamine. Raises `RefusedFileError` where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._book: CalamineWorkbook = self._translate(lambda: CalamineWorkbook.from_path(path))

    def sheet(self, name: str) -> CalamineSheet:
        """One sheet, by its exact name."""
        return self._translate(lambda: self._book.get_sheet_by_name(name))

    def _translate(self, call: Callable[[], T]) -> T:
        """A Rust panic comes as a `BaseException` of a class without a public name."""
        try:
            return call()
        except Exception as error:
            raise self._refuse() from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise self._refuse() from error

    def _refuse(self) -> RefusedFileError:
        return RefusedFileError(
            f"{self._path.name} is damaged: its cells cannot be read.", remedy="Open it in Excel and save it again."
        )


def text_rows(sheet: CalamineSheet, count: int | None) -> Iterator[tuple[int, list[str]]]:
    """Rows from row 1, column A, as texts; `count` is how many at most, None means all."""
    start = sheet.start
    if start is None:
        return
    rows = sheet.iter_rows() if count is None else sheet.to_python(skip_empty_area=False, nrows=count)
    texts = _NumberTexts()
    for number, cells in enumerate(rows, 1):
        yield (
            number,
            [
                each if (kind := type(each)) is str else texts[each] if kind is float else show_value(each)
                for each in cells
            ],
        )


class _NumberTexts(dict[float, str]):
    """The text of each number seen so far: few numbers of a sheet are seen once only."""

    def __missing__(self, number: float) -> str:
        text = show_value(number)
        if len(self) < MOST_KEPT_TEXTS:
            self[number] = text
        return text


def show_value(value: Any) -> str:
    """The text of a value that no format changes."""
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < LOST_DIGITS_FROM else show_plain(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)
