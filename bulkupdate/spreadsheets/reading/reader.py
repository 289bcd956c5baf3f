"""Read a spreadsheet of any kind into a `Sheet`."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from bulkupdate.customers.headings import check_heading_map
from bulkupdate.customers.models import Finding
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import BulkUpdateError, ReaderBugError
from bulkupdate.files import find_open_mark
from bulkupdate.spreadsheets.reading.csv_file import read_csv_file, read_text_tops
from bulkupdate.spreadsheets.reading.file_type import FileFormat, recognize_file, unreadable_error
from bulkupdate.spreadsheets.reading.header_row import refuse_second_header
from bulkupdate.spreadsheets.reading.open_workbook import Workbook
from bulkupdate.spreadsheets.reading.safe_zip import Package
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, ReadTops, Sheet, SheetTop
from bulkupdate.spreadsheets.reading.workbook import KeptSheets, read_workbook

__all__ = ["ReadOptions", "Sheet", "read_sheet"]

_OPEN_FILE = Finding.warning(ProblemCode.OPEN_FILE)


def read_sheet(path: Path, options: ReadOptions) -> Sheet:
    """Read a sheet with a column of customer ids: every cell as the text that its user sees, without blank rows.

    A sheet that is open in another program is read as last saved, with a warning. Raises `InputFileError` if the file
    cannot be read, for any reason except a lack of memory; `UsageError` if the heading map does not name a field.
    """
    check_heading_map(options.heading_map)
    try:
        sheet = _read(path, options)
    except (BulkUpdateError, MemoryError):
        raise
    except Exception as bug:  # one cell must not end a program that has other files to send
        raise ReaderBugError(
            f"{path.name} cannot be read: the program itself failed while reading it ({type(bug).__name__}).",
            remedy="Save it in Excel as another kind of file (.xlsx or CSV) and try again.",
        ) from bug
    return sheet if find_open_mark(path) is None else sheet.add_warning(_OPEN_FILE)


def read_tops(path: Path, options: ReadOptions) -> list[SheetTop]:
    """Return the first rows of every visible sheet of a file, or of the one that is named, whatever they hold.

    Empty if the file cannot be read, or the encoding of a text file is not certain.
    """
    tops: list[SheetTop] = []

    def keep(read: ReadTops) -> ReadOptions:
        tops.extend(read(options.encoding, options.sheet))
        return options

    with suppress(BulkUpdateError):
        read_sheet(path, replace(options, choose=keep))
    return tops


def _read(path: Path, options: ReadOptions) -> Sheet:
    try:
        kind = recognize_file(path, options)
        if kind is FileFormat.TEXT:
            options = options.choose_for(lambda encoding, _name: read_text_tops(path, encoding))
            return _require_one_table(path, read_csv_file(path, options), options)
        if kind in (FileFormat.JSONL, FileFormat.PARQUET):
            return _read_typed(kind, path, options)
        if kind is FileFormat.XLS:
            return _read_workbook(path, _open_xls(path), options)
        with closing(Package(path, options)) as package:
            return _read_workbook(path, _open_package(kind, path, package, options), options)
    except OSError as error:
        raise unreadable_error(path, error) from error


def _read_workbook(path: Path, workbook: Workbook, options: ReadOptions) -> Sheet:
    kept = KeptSheets(workbook)
    options = options.choose_for(kept.read_tops)
    return _require_one_table(path, read_workbook(path, kept, options), options)


def _require_one_table(path: Path, sheet: Sheet, options: ReadOptions) -> Sheet:
    refuse_second_header(sheet, options.heading_map, path.name)
    return sheet


# The readers of workbooks are imported when one is needed: each loads a library that a CSV file can do without.


def _read_typed(kind: FileFormat, path: Path, options: ReadOptions) -> Sheet:
    if kind is FileFormat.JSONL:
        from bulkupdate.spreadsheets.reading.jsonl_file import read_jsonl_file

        return read_jsonl_file(path, options)
    from bulkupdate.spreadsheets.reading.parquet_file import read_parquet_file

    return read_parquet_file(path, options)


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
