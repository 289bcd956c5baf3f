"""Tell what a file is by its name and by its first bytes, and whether the two agree."""

from __future__ import annotations

import stat
from enum import Enum
from pathlib import Path

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.ole_file import has_stream
from bulkupdate.spreadsheets.reading.safe_zip import encrypted_error
from bulkupdate.spreadsheets.reading.sheet import ReadOptions

SAMPLE_BYTES = 4096


class FileKind(Enum):
    """The kinds of file that are read."""

    TEXT = "text"
    XLSX = ".xlsx"
    XLS = ".xls"
    XLSB = ".xlsb"
    ODS = ".ods"


ENDINGS = {
    ".csv": FileKind.TEXT, ".tsv": FileKind.TEXT, ".xlsx": FileKind.XLSX, ".xls": FileKind.XLS,
    ".xlsb": FileKind.XLSB, ".ods": FileKind.ODS,
}  # fmt: skip

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIPPED = (FileKind.XLSX, FileKind.XLSB, FileKind.ODS)
_OTHERS = (
    (b"%PDF", "a PDF"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a packed file"), (b"7z\xbc\xaf", "a packed file"), (b"Rar!", "a packed file"),
    (b"BZh", "a packed file"), (b"\xfd7zXZ", "a packed file"), (b"{\\rtf", "an RTF text"),
    (b"SQLite format 3", "a database"), (b"\x7fELF", "a program"), (b"PAR1", "a Parquet file"),
)  # fmt: skip
_ENCRYPTED_STREAM = "EncryptedPackage"
_SAVE_AS = "Open it in Excel and save it as .xlsx or as 'CSV UTF-8'."


def recognize_file(path: Path, options: ReadOptions) -> FileKind:
    """Return the kind of the file.

    Raises `InputFileError`, in one sentence, where it is none that is read, is no file, cannot be opened, is empty, or
    is not what its name says.
    """
    _require_regular_file(path, options)
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise InputFileError(
            f"{path.name} is not a supported file type: the name must end in {', '.join(ENDINGS)}.", remedy=_SAVE_AS
        )
    start = _read_start(path)
    if not start:
        raise InputFileError(f"{path.name} is empty.", remedy="Save or copy the file again.")
    content = _describe(path, start)
    if content != kind.value and not (content == "a zip file" and kind in _ZIPPED):
        raise InputFileError(f"{path.name} is not what its name says: it is {content}.", remedy=_SAVE_AS)
    return kind


def _require_regular_file(path: Path, options: ReadOptions) -> None:
    if path.name.startswith("~$"):
        raise InputFileError(f"{path.name} is the mark that Excel leaves beside an open file, not the file itself.")
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise InputFileError(f"There is no file {path.name} in {path.parent}.") from error
    except (OSError, ValueError) as error:
        raise unreadable_error(path) from error
    if stat.S_ISDIR(status.st_mode):
        raise InputFileError(f"{path.name or path.resolve()} is a folder, not a file.", remedy="Name a file.")
    if not stat.S_ISREG(status.st_mode):
        raise InputFileError(f"{path.name} is not an ordinary file.")
    if status.st_size > options.max_unpacked_bytes:
        raise InputFileError(
            f"{path.name} has more than {options.max_unpacked_bytes:,} bytes.",
            remedy="Split it, or raise the limit: BULKUPDATE_MAX_UNPACKED_BYTES.",
        )


def unreadable_error(path: Path) -> InputFileError:
    """Return the error for a file that the system does not let us read."""
    return InputFileError(
        f"{path.name} cannot be opened.",
        remedy="Close it in Excel if it is open there, and check that you may read it.",
    )


def _read_start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SAMPLE_BYTES)
    except OSError as error:
        raise unreadable_error(path) from error


def _describe(path: Path, start: bytes) -> str:
    """Return the content in words; for text, .xls and zip files a word that `recognize_file` compares."""
    if start.startswith(_ZIP):
        return "a zip file" if path.suffix.lower() not in (".csv", ".tsv", ".xls") else "an Excel or zip file"
    if start.startswith(_OLE):
        if has_stream(path, _ENCRYPTED_STREAM):
            raise encrypted_error(path)
        return FileKind.XLS.value if path.suffix.lower() == ".xls" else "an old Excel file (.xls)"
    for mark, name in _OTHERS:
        if start.startswith(mark):
            return name
    if (
        start.lstrip(b"\xef\xbb\xbf \t\r\n")[:14]
        .lower()
        .startswith((b"<!doctype", b"<html", b"<?xml", b"<table", b"<meta"))
    ):
        return "a web page or XML"
    return FileKind.TEXT.value if path.suffix.lower() in (".csv", ".tsv") else "plain text or damaged"
