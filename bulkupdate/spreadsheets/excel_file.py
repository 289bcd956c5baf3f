"""An Excel or OpenDocument file to a `Sheet`, its values by calamine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineSheet, CalamineWorkbook

from bulkupdate.errors import RefusedFileError
from bulkupdate.spreadsheets.frame_builder import FrameBuilder
from bulkupdate.spreadsheets.heading_row import SEARCHED_ROWS, find_heading_row, refuse_without_key
from bulkupdate.spreadsheets.sheet import ReadOptions, Sheet
from bulkupdate.spreadsheets.sheet_finish import finish_sheet


def read_excel_file(path: Path, options: ReadOptions) -> Sheet:
    """Read the file; raises `RefusedFileError` where it is no table of customers."""
    workbook = CalamineWorkbook.from_path(path)
    for name in workbook.sheet_names if options.sheet is None else [options.sheet]:
        sheet = workbook.get_sheet_by_name(name)
        head = [(number, show_row(cells)) for number, cells in _rows(sheet, SEARCHED_ROWS)]
        heading = find_heading_row(head, options.heading_map)
        if heading is None or heading.key_column is None:
            continue
        builder = FrameBuilder(len(heading.headings), options)
        for number, cells in _rows(sheet, None):
            if number > heading.number:
                builder.add(number, show_row(cells))
        frame, row_numbers = builder.build()
        return finish_sheet(frame, row_numbers, heading, [], [], name)
    raise refuse_without_key(path.name, [])


def _rows(sheet: CalamineSheet, count: int | None) -> Iterator[tuple[int, list[Any]]]:
    return enumerate(sheet.to_python(skip_empty_area=False, nrows=count), 1)


def show_row(cells: list[Any]) -> list[str]:
    return [each if type(each) is str else show(each) for each in cells]


def show(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.15g}"
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)
