"""One workbook saved by LibreOffice in several formats, once for all tests."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from tests.spreadsheets.reading.making import HEADINGS


@pytest.fixture(scope="session")
def libreoffice(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the file of an ending: xls, ods or xlsx. Skips where LibreOffice is absent."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    folder = tmp_path_factory.mktemp("libreoffice")
    (folder / "in").mkdir()
    _write(folder / "in" / "book.xlsx")
    profile = f"-env:UserInstallation=file://{folder}/profile"
    for ending in ("xls", "ods", "xlsx"):
        subprocess.run(
            [program, profile, "--headless", "--convert-to", ending, "--outdir", folder / "out",
             folder / "in" / "book.xlsx"],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    return lambda ending: folder / "out" / f"book.{ending}"


def _write(path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Customers"
    sheet.append(HEADINGS)
    sheet.append([163, "Ann", "=NA()", 5550001234, 12.5, "a\nb"])
    sheet.append([164, "007", None, "5550001234", 2.345, dt.date(2026, 1, 14)])
    sheet["D2"].number_format = "(000) 000-0000"
    sheet["E2"].number_format = sheet["E3"].number_format = "0.00"
    sheet["F3"].number_format = "yyyy-mm-dd"
    sheet.append([165, "Bob"])
    sheet.row_dimensions[4].hidden = True
    sheet["B5"] = None
    sheet["A6"] = 166
    sheet["B5"] = None
    sheet.merge_cells("B4:B4")
    sheet.merge_cells("B5:B6")
    hidden = book.create_sheet("Hidden")
    hidden.append(["CustomerId", "Name"])
    hidden.append([1, "Old"])
    hidden.sheet_state = "hidden"
    book.save(path)
