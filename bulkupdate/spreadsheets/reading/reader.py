"""Read a spreadsheet of any kind into a `Sheet`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from bulkupdate.customers.headings import check_heading_map
from bulkupdate.customers.models import Finding
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import BulkUpdateError, ReaderBugError
from bulkupdate.files import find_open_mark
from bulkupdate.spreadsheets.reading.csv_file import read_csv_file
from bulkupdate.spreadsheets.reading.file_type import FileFormat, recognize_file, unreadable_error
from bulkupdate.spreadsheets.reading.header_row import refuse_second_header
from bulkupdate.spreadsheets.reading.open_workbook import Workbook
from bulkupdate.spreadsheets.reading.safe_zip import Package
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet
from bulkupdate.spreadsheets.reading.workbook import read_workbook

__all__ = ["ReadOptions", "Sheet", "read_sheet"]

_OPEN_FILE = Finding.warning(ProblemCode.OPEN_FILE)


def read_sheet(path: Path, options: ReadOptions) -> Sheet:
    """Read a sheet with a column of customer ids: every cell as the text that its user sees, without blank rows.

    A sheet that is open in another program is read as it was last saved, with a warning.

    Raises `InputFileError` if the file cannot be read, for whatever reason but a lack of memory; `UsageError` if the
    heading map does not name a field.
    """
    check_heading_map(options.heading_map)
    try:
        sheet = _read(path, options)
        refuse_second_header(sheet, options.heading_map, path.name)
    except (BulkUpdateError, MemoryError):
        raise
    except Exception as bug:  # one cell must not end a program that has other files to send
        raise ReaderBugError(
            f"{path.name} cannot be read: the program itself failed at something in it ({type(bug).__name__}).",
            remedy="Save it in Excel as another kind of file (.xlsx or CSV) and try again.",
        ) from bug
    return sheet if find_open_mark(path) is None else sheet.add_warning(_OPEN_FILE)


def _read(path: Path, options: ReadOptions) -> Sheet:
    try:
        kind = recognize_file(path, options)
        if kind is FileFormat.TEXT:
            return read_csv_file(path, options)
        if kind is FileFormat.XLS:
            return read_workbook(path, _open_xls(path), options)
        with closing(Package(path, options)) as package:
            return read_workbook(path, _open_package(kind, path, package, options), options)
    except OSError as error:
        raise unreadable_error(path, error) from error


# The readers of workbooks are imported when one is needed: each loads a library that a CSV file can do without.


def _open_xls(path: Path) -> Workbook:
    from bulkupdate.spreadsheets.reading.xls_file import XlsWorkbook

    return XlsWorkbook(path)


def _open_package(kind: FileFormat, path: Path, package: Package, options: ReadOptions) -> Workbook:
    if kind is FileFormat.XLSX:
        from bulkupdate.spreadsheets.reading.xlsx_file import XlsxWorkbook

        return XlsxWorkbook(path, package, options)
    if kind is FileFormat.XLSB:
        from bulkupdate.spreadsheets.reading.xlsb_file import XlsbWorkbook

        return XlsbWorkbook(package)
    from bulkupdate.spreadsheets.reading.ods_file import OdsWorkbook

    return OdsWorkbook(path, package)
