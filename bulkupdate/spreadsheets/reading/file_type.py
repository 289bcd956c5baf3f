"""Recognise the type of a file by its name and its first bytes, which must agree with each other."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from pathlib import Path

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.ole_file import has_stream
from bulkupdate.spreadsheets.reading.safe_zip import encrypted_error
from bulkupdate.spreadsheets.reading.sheet import ReadOptions

SAMPLE_BYTES = 4096


class FileFormat(Enum):
    """The kinds of file that are read."""

    TEXT = "text"
    XLSX = ".xlsx"
    XLS = ".xls"
    XLSB = ".xlsb"
    ODS = ".ods"
    JSONL = "JSON Lines"
    PARQUET = "a Parquet file"


ENDINGS = {
    ".csv": FileFormat.TEXT, ".tsv": FileFormat.TEXT, ".xlsx": FileFormat.XLSX, ".xls": FileFormat.XLS,
    ".xlsb": FileFormat.XLSB, ".ods": FileFormat.ODS,
    ".jsonl": FileFormat.JSONL, ".parquet": FileFormat.PARQUET,
}  # fmt: skip

ENDINGS_BY_CONTENT_TYPE = {
    "text/csv": ".csv", "text/tab-separated-values": ".tsv", "application/vnd.ms-excel": ".xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12": ".xlsb",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods", "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl", "application/vnd.apache.parquet": ".parquet",
}  # fmt: skip
"""What the servers of the web call these files, in lower case."""

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIPPED = (FileFormat.XLSX, FileFormat.XLSB, FileFormat.ODS)
_OTHERS = (
    (b"%PDF", "a PDF"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"\x1f\x8b", "a packed file"), (b"7z\xbc\xaf", "a packed file"), (b"Rar!", "a packed file"),
    (b"BZh", "a packed file"), (b"\xfd7zXZ", "a packed file"), (b"{\\rtf", "an RTF text"),
    (b"SQLite format 3", "a database"), (b"\x7fELF", "a program"), (b"PAR1", FileFormat.PARQUET.value),
)  # fmt: skip
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<meta")
_ENCRYPTED_STREAM = "EncryptedPackage"

_SAVE_AS = "Open it in Excel or LibreOffice and save it as .xlsx or as 'CSV UTF-8'."
_CONVERT = "Convert it to .csv (UTF-8) or .xlsx first."
_COPY_TABLE = "Put its table into a spreadsheet first."
_UNPACK = "Unpack it first, and name the sheet in it."
_REMEDIES = {
    ".txt": "If commas, semicolons or tabs separate its columns, rename it to {stem}.csv.",
    ".xlsm": "Open it in Excel and save it as .xlsx, which has no macros.",
    ".numbers": "Open it in Numbers and export it as an Excel file (.xlsx).",
    ".gsheet": "Open it in Google Sheets and download it as an Excel file (.xlsx).",
    **dict.fromkeys((".pdf", ".doc", ".docx", ".rtf", ".png", ".jpg", ".jpeg"), _COPY_TABLE),
    **dict.fromkeys((".json", ".feather", ".sqlite", ".db"), _CONVERT),
    ".ndjson": "Rename it to {stem}.jsonl.",
    **dict.fromkeys((".zip", ".gz", ".7z", ".rar", ".bz2", ".xz"), _UNPACK),
}
"""What to do with a file of another type, by the ending of its name."""

_SHOWN_FILES = 5


def recognize_file(path: Path, options: ReadOptions) -> FileFormat:
    """Return the kind of the file.

    Raises `InputFileError` if it is not a file of a supported type, cannot be opened, is empty or too large, or is of
    another type than its name says.
    """
    _require_regular_file(path, options)
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None:
        remedy = _REMEDIES.get(path.suffix.lower(), _SAVE_AS).format(stem=path.stem)
        supported = ", ".join(ENDINGS)
        raise InputFileError(f"{path.name} is not a supported file type. Supported: {supported}.", remedy=remedy)
    start = _read_start(path)
    if not start:
        raise InputFileError(f"{path.name} is empty.", remedy="Save or copy the file again.")
    content = _describe_content(path, start)
    if content != kind.value and not (content == "a zip file" and kind in _ZIPPED):
        raise InputFileError(f"{path.name} is not what its name says: it is {content}.", remedy=_SAVE_AS)
    return kind


def _require_regular_file(path: Path, options: ReadOptions) -> None:
    if path.name.startswith("~$"):
        raise InputFileError(
            f"{path.name} is only Excel's lock file for {path.name[2:]}.", remedy=f"Name {path.name[2:]} instead."
        )
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _missing_error(path) from error
    except (OSError, ValueError) as error:
        raise unreadable_error(path, error) from error
    if stat.S_ISDIR(status.st_mode):
        raise InputFileError(
            f"{path.name or path.resolve()} is a folder, not a file.", remedy=_list_sheets(path) or "Name a sheet."
        )
    if not stat.S_ISREG(status.st_mode):
        raise InputFileError(
            f"{path} is a device or a pipe, not a file.",
            remedy="Name `-` to read standard input, or save the data in a file whose name ends in .csv.",
        )
    if status.st_size > options.max_unpacked_bytes:
        raise InputFileError(
            f"{path.name} has more than {options.max_unpacked_bytes:,} bytes.",
            remedy="Split it, or raise the limit: BULKUPDATE_MAX_UNPACKED_BYTES.",
        )


def _missing_error(path: Path) -> InputFileError:
    folder = path.parent.resolve()
    if path.name == "-":
        return InputFileError(
            "There is no file `-`: only commands that take --format read standard input.",
            remedy="Save the data in a file whose name ends in .csv, and name that file.",
        )
    if re.match(r"[a-z0-9]{2,}:/", str(path)):
        return InputFileError(
            f"{path} is an address, which only commands that take --format read.",
            remedy="Download it, and name the downloaded file.",
        )
    if not folder.is_dir():
        return InputFileError(f"There is no folder {folder}.", remedy="Check the path.")
    if path.is_symlink():
        return InputFileError(f"{path.name} is a link to {path.readlink()}, which does not exist.", remedy="Check it.")
    names = {other.name.casefold(): other.name for other in _iterate(folder)}
    close = [names[name] for name in get_close_matches(path.name.casefold(), names, n=3, cutoff=0.7)]
    hint = f" Did you mean {' or '.join(close)}?" if close else ""
    remedy = "Check the name." if close else _list_sheets(folder) or "Check the name and the folder."
    return InputFileError(f"There is no file {path.name} in {folder}.{hint}", remedy=remedy)


def _list_sheets(folder: Path) -> str:
    """Return a sentence that lists the sheets of a folder; empty if it has none, or cannot be read."""
    names = sorted(path.name for path in _iterate(folder) if path.suffix.lower() in ENDINGS)
    more = f" and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
    return f"Sheets in that folder: {', '.join(names[:_SHOWN_FILES])}{more}." if names else ""


def _iterate(folder: Path) -> Iterable[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith((".", "~$"))]
    except OSError:
        return []


def unreadable_error(path: Path, error: OSError | ValueError) -> InputFileError:
    """Return the error for a file that the system does not open."""
    reason = getattr(error, "strerror", None) or error
    return InputFileError(
        f"{path.name} cannot be opened: {reason}.",
        remedy="Close it if another program has it open, and check that you have permission to read it.",
    )


def _read_start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SAMPLE_BYTES)
    except OSError as error:
        raise unreadable_error(path, error) from error


def _describe_content(path: Path, start: bytes) -> str:
    """Return the content in words; for text, .xls and zip files a word that `recognize_file` compares."""
    ending = path.suffix.lower()
    if start.startswith(_ZIP):
        return "a zip file" if ending not in (".csv", ".tsv", ".xls") else "an Excel or zip file"
    if start.startswith(_OLE):
        if has_stream(path, _ENCRYPTED_STREAM):
            raise encrypted_error(path)
        return FileFormat.XLS.value if ending == ".xls" else "an old Excel file (.xls)"
    for mark, name in _OTHERS:
        if start.startswith(mark):
            return name
    if start.lstrip(b"\xef\xbb\xbf \t\r\n")[:14].lower().startswith(_MARKUP):
        return "a web page or XML"
    if ending == ".jsonl" and start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b""):
        return FileFormat.JSONL.value
    return FileFormat.TEXT.value if ending in (".csv", ".tsv") else "plain text or damaged"
