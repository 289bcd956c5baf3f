"""Wrap python-calamine, the Rust library that reads .xlsx; all of its exceptions are translated here."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import chain, islice
from math import inf, isfinite
from pathlib import Path
from typing import Any, TypeVar

from python_calamine import CalamineSheet, CalamineWorkbook

from bulkupdate.chunks import in_chunks
from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.cell_checks import LOST_DIGITS_FROM, NOT_FINITE
from bulkupdate.spreadsheets.reading.number_display import format_general
from bulkupdate.spreadsheets.reading.open_workbook import SheetRow
from bulkupdate.spreadsheets.reading.safe_zip import Package

CHUNK_ROWS = 2_000
MAX_KEPT_TEXTS = 100_000

T = TypeVar("T")


class CalamineBook:
    """A workbook opened by calamine. Raises `InputFileError` if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._book: CalamineWorkbook = self._translate(lambda: CalamineWorkbook.from_path(path))

    def without(self, package: Package, part: str) -> CalamineBook:
        """Return the workbook opened again without one of its parts.

        Without styles no number is taken for a date, as calamine panics at dates far out of range.
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
        """Return a sheet by its exact name."""
        return self._translate(lambda: self._book.get_sheet_by_name(name))

    def rows(self, sheet: CalamineSheet, count: int | None) -> Iterator[SheetRow]:
        """Yield the rows of a sheet; `count` is the maximum, None means all. Raises `InputFileError`."""
        rows = _read_rows(sheet, count)
        while chunk := self._translate(lambda: list(islice(rows, CHUNK_ROWS))):
            yield from chunk

    def _translate(self, call: Callable[[], T]) -> T:
        """Return what `call` returns; its errors, Rust panics included, become `InputFileError`."""
        try:
            return call()
        except Exception as error:
            raise self._damaged_error() from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise self._damaged_error() from error

    def _damaged_error(self) -> InputFileError:
        return InputFileError(
            f"{self._path.name} is damaged: its cells cannot be read.", remedy="Open it in Excel and save it again."
        )


def _read_rows(sheet: CalamineSheet, count: int | None) -> Iterator[SheetRow]:
    """Yield the rows from row 1, column A, as texts; `count` is the maximum, None means all."""
    if sheet.start is None:
        return
    # calamine adds the blank rows above the first filled one, but not the blank columns before it
    left = [""] * sheet.start[1]
    rows = sheet.iter_rows()
    texts: dict[float, str] = {}
    number = 1
    for chunk in in_chunks(islice(rows, count), CHUNK_ROWS):
        width = len(left) + len(chunk[0])
        cells: list[Any] = list(
            chain.from_iterable([*left, *row] for row in chunk) if left else chain.from_iterable(chunk)
        )
        long_numbers: dict[int, list[int]] = {}
        for index in _make_texts(cells, texts):
            long_numbers.setdefault(index // width, []).append(index % width)
        for row in range(len(chunk)):
            yield number, cells[row * width : (row + 1) * width], long_numbers.get(row, ())
            number += 1


def _make_texts(cells: list[Any], texts: dict[float, str]) -> list[int]:
    """Turn all cells into text, in place; return the indexes of numbers with more digits than Excel keeps.

    `texts` are those of numbers seen before, as most numbers of a sheet repeat.
    """
    long_numbers = []
    for index, kind in enumerate(map(type, cells)):
        if kind is str:
            continue
        value = cells[index]
        if kind is not float:
            cells[index] = format_cell(value)
        elif value in texts:
            cells[index] = texts[value]
        else:
            cells[index] = text = format_cell(value)
            if LOST_DIGITS_FROM <= abs(value) < inf:
                long_numbers.append(index)
            elif len(texts) < MAX_KEPT_TEXTS:
                texts[value] = text
    return long_numbers


def format_cell(value: Any) -> str:
    """Return the text of a value whose format does not change it."""
    if type(value) is float:
        if not isfinite(value):
            return NOT_FINITE
        return str(int(value)) if value.is_integer() and abs(value) < LOST_DIGITS_FROM else format_general(value)
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)
