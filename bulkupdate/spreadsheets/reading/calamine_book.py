"""Wrap python-calamine, the Rust reader behind .xlsx and .xlsb; all of its exceptions are translated here."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

from python_calamine import CalamineSheet, CalamineWorkbook

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.cell_checks import LOST_DIGITS_FROM
from bulkupdate.spreadsheets.reading.number_display import format_general
from bulkupdate.spreadsheets.reading.open_workbook import SheetMetadata
from bulkupdate.spreadsheets.reading.safe_zip import Package

CHUNK_ROWS = 2_000
MOST_KEPT_TEXTS = 100_000

T = TypeVar("T")


class CalamineBook:
    """A workbook opened by calamine. Raises `InputFileError` where it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._book: CalamineWorkbook = self._translate(lambda: CalamineWorkbook.from_path(path))

    def without(self, package: Package, part: str) -> CalamineBook:
        """Open the same workbook once more as if it had no such part.

        Without its styles a number is never taken for a date, and calamine panics at dates that are far out of range.
        """
        copy = io.BytesIO()
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as target:
            for name in package.names:
                if name != part:
                    with target.open(name, "w") as entry:
                        entry.writelines(package.blocks(name))
        copy.seek(0)
        self._book = self._translate(lambda: CalamineWorkbook.from_filelike(copy))
        return self

    def sheet(self, name: str) -> CalamineSheet:
        """One sheet, by its exact name."""
        return self._translate(lambda: self._book.get_sheet_by_name(name))

    def rows(self, sheet: CalamineSheet, count: int | None, facts: SheetMetadata) -> Iterator[tuple[int, list[str]]]:
        """Rows as `text_rows` gives them. Raises `InputFileError` where a cell cannot be read."""
        rows = text_rows(sheet, count, facts)
        while chunk := self._translate(lambda: list(islice(rows, CHUNK_ROWS))):
            yield from chunk

    def _translate(self, call: Callable[[], T]) -> T:
        """Make the call; its errors, Rust panics among them, become `InputFileError`."""
        try:
            return call()
        except Exception as error:
            raise self._refuse() from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise self._refuse() from error

    def _refuse(self) -> InputFileError:
        return InputFileError(
            f"{self._path.name} is damaged: its cells cannot be read.", remedy="Open it in Excel and save it again."
        )


def text_rows(sheet: CalamineSheet, count: int | None, facts: SheetMetadata) -> Iterator[tuple[int, list[str]]]:
    """Rows from row 1, column A, as texts; `count` is how many at most, None means all.

    Numbers beyond Excel's 15 digits are noted in `facts` when their row comes.
    """
    if sheet.start is None:
        return
    left = [""] * sheet.start[1]  # calamine fills up the rows above the first filled one, but not the columns before it
    rows = sheet.iter_rows()
    texts: dict[float, str] = {}
    number = 1
    while chunk := list(islice(rows, CHUNK_ROWS if count is None else max(0, count + 1 - number))):
        width = len(left) + len(chunk[0])
        cells: list[Any] = list(
            chain.from_iterable([*left, *row] for row in chunk) if left else chain.from_iterable(chunk)
        )
        for place in _make_texts(cells, texts):
            facts.long_numbers.add((number + place // width, place % width))
        for start in range(0, len(cells), width):
            yield number, cells[start : start + width]
            number += 1


def _make_texts(cells: list[Any], texts: dict[float, str]) -> Iterator[int]:
    """Turn all cells into text, in place; gives the places of the numbers of which Excel has lost the end.

    `texts` are those of numbers seen before: few numbers of a sheet are seen once only.
    """
    for place, kind in enumerate(map(type, cells)):
        if kind is str:
            continue
        value = cells[place]
        if kind is not float:
            cells[place] = format_cell(value)
        elif value in texts:
            cells[place] = texts[value]
        else:
            cells[place] = text = format_cell(value)
            if abs(value) >= LOST_DIGITS_FROM:
                yield place
            elif len(texts) < MOST_KEPT_TEXTS:
                texts[value] = text


def format_cell(value: Any) -> str:
    """Return the text of a value that no format changes."""
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < LOST_DIGITS_FROM else format_general(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)
