"""Write sheets as users and programs make them into real files."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.spreadsheets.reading.reader import ReadOptions, Sheet, read_sheet

HEADINGS = ["CustomerId", "Name", "Email", "Phone1", "AccountManager1Commission", "Comments"]


def options(**changed: Any) -> ReadOptions:
    """The defaults, with what a test wants otherwise."""
    defaults: dict[str, Any] = {
        "sheet": None, "heading_map": {}, "max_rows": 1_048_576, "max_cells": 50_000_000, "max_unpacked_bytes": 1 << 30,
    }  # fmt: skip
    return ReadOptions(**(defaults | changed))


def write_text(folder: Path, text: str | bytes, name: str = "customers.csv", encoding: str = "utf-8") -> Path:
    """A text file with just these bytes."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def write_xlsx(folder: Path, fill: Callable[[Worksheet], None], name: str = "customers.xlsx") -> Path:
    """A workbook of one sheet `Customers` with the headings in row 1, filled by `fill`."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Customers"
    for column, heading in enumerate(HEADINGS, 1):
        sheet.cell(1, column, heading)
    fill(sheet)
    book.save(folder / name)
    return folder / name


def write_sheets(folder: Path, sheets: dict[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        sheet.sheet_state = "hidden" if name in hidden else "visible"
        for row in rows:
            sheet.append(row)
    book.save(folder / "book.xlsx")
    return folder / "book.xlsx"


def write_cell(folder: Path, value: object, number_format: str = "General", heading: str = "Comments") -> Path:
    """A workbook with one customer, 163, and one more cell."""

    def fill(sheet: Worksheet) -> None:
        sheet["A2"] = 163
        cell = sheet.cell(2, HEADINGS.index(heading) + 1, value)
        cell.number_format = number_format

    return write_xlsx(folder, fill)


def write_parts(path: Path, parts: dict[str, bytes | str], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip file with just these parts."""
    with zipfile.ZipFile(path, "w", compression) as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return path


RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def write_raw_xlsx(
    path: Path,
    rows: str,
    *,
    shared: str | None = None,
    styles: str | None = None,
    after: str = "",
    workbook: str = "",
    root: str | None = None,
) -> Path:
    """Write an .xlsx from XML: `rows` is the content of sheetData, or `root` the whole of the sheet's XML."""
    parts: dict[str, bytes | str] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="rId1" Type="{RELATIONS}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}">{workbook}'
        '<sheets><sheet name="Customers" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">'
        f'<Relationship Id="rId1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId3" Type="{RELATIONS}/styles" Target="styles.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": root
        or f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>',
    }
    if shared is not None:
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{MAIN}">{shared}</sst>'
    if styles is not None:
        parts["xl/styles.xml"] = f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>'
    return write_parts(path, parts)


def text_cell(place: str, text: str) -> str:
    """The XML of a cell with text within it."""
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


HEADING_ROW = f'<row r="1">{text_cell("A1", "CustomerId")}{text_cell("B1", "Name")}{text_cell("C1", "Phone1")}</row>'


def read(path: Path, **changed: Any) -> Sheet:
    """Read it with the default options, some changed."""
    return read_sheet(path, options(**changed))


def texts(sheet: Sheet) -> list[list[str]]:
    """The frame as lists of rows."""
    return sheet.frame.to_numpy().tolist()


def value_of(sheet: Sheet, heading: str = "Comments", row: int = 0) -> str:
    """The text of one cell of the frame."""
    return str(sheet.frame.iat[row, sheet.headings.index(heading)])


def codes(sheet: Sheet) -> list[str]:
    """The codes of the problems, in order."""
    return [problem.code for problem in sheet.problems]


def as_csv_rows(rows: Sequence[Sequence[str]]) -> str:
    """The rows as CSV text."""
    import csv
    import io

    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
