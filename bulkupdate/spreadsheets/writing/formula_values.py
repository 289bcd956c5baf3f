"""Finish a workbook that openpyxl has saved: add the values of formulas and the checksum of the mark."""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.worksheet import Worksheet

from bulkupdate.spreadsheets.writing.own_files import PROPERTIES_PART, seal

_SHEET_PART = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_FORMULA = re.compile(rb'<c r="([A-Z]+)([0-9]+)"([^>]*)>(<f\b[^>]*(?:/>|>[^<]*</f>))(?:<v ?/>|<v></v>)</c>')
_SPECIAL = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def finish_package(source: Path, saved: BytesIO) -> bytes:
    """Return the marked workbook `saved`, sealed, and each formula with its value in `source`, if it has one there.

    openpyxl itself writes formulas without values.
    """
    result = BytesIO()
    with zipfile.ZipFile(saved) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    has_formulas = any(_FORMULA.search(part) for name, part in parts.items() if _SHEET_PART.fullmatch(name))
    values = load_workbook(source, data_only=True) if has_formulas else None
    properties = parts.pop(PROPERTIES_PART)
    with zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            found = _SHEET_PART.fullmatch(name)
            place = int(found[1]) - 1 if found else 0
            sheet = values.worksheets[place] if values and found and place < len(values.worksheets) else None
            package.writestr(name, _fill_in(part, sheet, values.epoch) if values and sheet else part)
        package.writestr(PROPERTIES_PART, seal(properties, package))
    return result.getvalue()


def _fill_in(part: bytes, sheet: Worksheet, epoch: datetime) -> bytes:
    def add_value(found: re.Match[bytes]) -> bytes:
        letters, row, attributes, formula = found.groups()
        kind, text = _format_value(sheet[f"{letters.decode()}{row.decode()}"], epoch)
        if not text:
            return found[0]
        return b'<c r="%s%s"%s%s>%s<v>%s</v></c>' % (letters, row, attributes, kind, formula, text.encode())

    return _FORMULA.sub(add_value, part)


def _format_value(cell: Cell, epoch: datetime) -> tuple[bytes, str]:
    """Return the attribute for the value's type, and the value as stored in the file; "" if there is none.

    `epoch` is the day that the workbook counts its dates from; some count from 1904.
    """
    value = cell.value
    if value is None:
        return b"", ""
    if isinstance(value, bool):
        return b' t="b"', str(int(value))
    if isinstance(value, datetime | date | time | timedelta):
        return b"", repr(to_excel(value, epoch))  # type: ignore[no-untyped-call]  # published without types
    if isinstance(value, str):
        escaped = re.sub("[&<>]", lambda found: _SPECIAL[found[0]], value)
        return (b' t="e"' if cell.data_type == "e" else b' t="str"'), escaped
    return b"", repr(value)
