"""Read a spreadsheet of any kind into a `Sheet`. Each kind's reader is loaded when it is needed."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from bulkupdate.customers.headings import check_heading_map
from bulkupdate.spreadsheets.reading.csv_file import read_csv_file
from bulkupdate.spreadsheets.reading.file_type import FileKind, recognise_file, unreadable_error
from bulkupdate.spreadsheets.reading.header_row import require_updatable
from bulkupdate.spreadsheets.reading.safe_zip import Package
from bulkupdate.spreadsheets.reading.sheet import ReadOptions, Sheet
from bulkupdate.spreadsheets.reading.workbook import read_workbook

__all__ = ["ReadOptions", "Sheet", "read_key_sheet", "read_sheet"]


def read_sheet(path: Path, options: ReadOptions) -> Sheet:
    """Read a sheet of customer updates: every cell the text that a person sees, blank rows left out.

    Raises `InputFileError` where the file cannot be taken, `UsageError` where the heading map names no field.
    """
    sheet = read_key_sheet(path, options)
    require_updatable(sheet.headings, options.heading_map)
    return sheet


def read_key_sheet(path: Path, options: ReadOptions) -> Sheet:
    """Read a sheet that needs no more than the key column, as for `export --ids`. Raises as `read_sheet`."""
    check_heading_map(options.heading_map)
    try:
        return _READERS[recognise_file(path, options)](path, options)
    except OSError as error:
        raise unreadable_error(path) from error


def _read_xlsx(path: Path, options: ReadOptions) -> Sheet:
    from bulkupdate.spreadsheets.reading.xlsx_file import XlsxWorkbook

    with closing(Package(path, options)) as package:
        return read_workbook(path, XlsxWorkbook(path, package, options), options)


def _read_xlsb(path: Path, options: ReadOptions) -> Sheet:
    from bulkupdate.spreadsheets.reading.xlsb_file import XlsbWorkbook

    with closing(Package(path, options)) as package:
        return read_workbook(path, XlsbWorkbook(package), options)


def _read_ods(path: Path, options: ReadOptions) -> Sheet:
    from bulkupdate.spreadsheets.reading.ods_file import OdsWorkbook

    with closing(Package(path, options)) as package:
        return read_workbook(path, OdsWorkbook(path, package), options)


def _read_xls(path: Path, options: ReadOptions) -> Sheet:
    from bulkupdate.spreadsheets.reading.xls_file import XlsWorkbook

    return read_workbook(path, XlsWorkbook(path), options)


_READERS = {
    FileKind.TEXT: read_csv_file,
    FileKind.XLSX: _read_xlsx,
    FileKind.XLS: _read_xls,
    FileKind.XLSB: _read_xlsb,
    FileKind.ODS: _read_ods,
}
