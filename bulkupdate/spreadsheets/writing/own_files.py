"""Mark the files that bulkupdate writes with their kind, and distinguish them from the user's own.

A workbook has the mark among its custom properties, which every program keeps. The mark holds a checksum of all other
parts of the package, so a workbook that another program has saved since is recognised as edited.
"""

from __future__ import annotations

import csv
import json
import os
import re
import zipfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from zlib import crc32

from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.customers.models import RESULT_COLUMNS

CREATOR = "bulkupdate"
"""The creator in a workbook's properties."""

MARK_PROPERTY = "bulkupdate"
"""The custom property with the mark."""

ROWS_MARK = b"bulkupdate: file of rows"
"""In the metadata of a Parquet file of rows."""

PROPERTIES_PART = "docProps/custom.xml"
"""The part of a package with the mark: the last one to be written."""

_UNSEALED = "00000000"
_MOST_BYTES = 65_536
_MARK = re.compile(rf'<property\b[^>]*\bname="{MARK_PROPERTY}"[^>]*>\s*<vt:lpwstr>([a-z -]+), contents ([0-9a-f]+)<')
_PAGE_MARK = '<meta name="generator" content="bulkupdate check page">'


class OwnFileKind(StrEnum):
    """The kinds of files that bulkupdate writes."""

    TEMPLATE = "template"
    RESULTS = "results"
    TO_FIX = "to-fix file"
    CHECK_REPORT = "check report"
    CHECK_PAGE = "check page"
    ANNOTATED_COPY = "annotated copy"
    EXPORT = "export"
    UNDO = "undo sheet"
    MATCHED = "matched sheet"
    ROWS = "file of rows"


@dataclass(frozen=True)
class OwnFile:
    """A file that bulkupdate wrote. `is_edited`: another program has saved it since; not known for CSV files."""

    kind: OwnFileKind
    is_edited: bool = False


def describe_mark(kind: OwnFileKind) -> str:
    """Return the text of the property `MARK_PROPERTY`, before `seal` adds the checksum."""
    return f"{kind.value}, contents {_UNSEALED}"


def seal(properties: bytes, package: zipfile.ZipFile) -> bytes:
    """Return the part `PROPERTIES_PART` with the checksum of all other parts, which must have been written."""
    return properties.replace(_UNSEALED.encode(), _sum_contents(package).encode(), 1)


def _sum_contents(package: zipfile.ZipFile) -> str:
    parts = sorted((entry.filename, entry.CRC) for entry in package.infolist() if entry.filename != PROPERTIES_PART)
    return f"{crc32(repr(parts).encode()):08x}"


def find_own_kind(path: Path) -> OwnFileKind | None:
    """Return the kind of a file that is unchanged since bulkupdate wrote it; None for any other file."""
    found = find_own_file(path)
    return found.kind if found and not found.is_edited else None


def find_own_file(path: Path) -> OwnFile | None:
    """Return the kind of a file; None if bulkupdate did not write it. Reads only its beginning or properties.

    A CSV file has no room for a mark. Results and a template without rows are recognised by their headings. Exports,
    undo sheets and matched sheets are not: they are meant to be edited, and nothing in a CSV file would show that.
    """
    try:
        if not path.is_file():
            return None
        match path.suffix.lower():
            case ".xlsx":
                return _find_workbook(path)
            case ".csv":
                return _find_csv(path)
            case ".jsonl":
                first = json.loads(_read_start(path).partition("\n")[0])
                return OwnFile(OwnFileKind.ROWS) if tuple(first) == RESULT_COLUMNS else None
            case ".parquet":
                return OwnFile(OwnFileKind.ROWS) if ROWS_MARK in _read_end(path) else None
            case ".html" | ".htm":
                return OwnFile(OwnFileKind.CHECK_PAGE) if _PAGE_MARK in _read_start(path) else None
    except (OSError, ValueError, TypeError, csv.Error, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        pass
    return None


def _find_workbook(path: Path) -> OwnFile | None:
    with zipfile.ZipFile(path) as package:
        if PROPERTIES_PART not in package.namelist():
            return None
        with package.open(PROPERTIES_PART) as part:
            mark = _MARK.search(part.read(_MOST_BYTES).decode())
        return OwnFile(OwnFileKind(mark[1]), mark[2] != _sum_contents(package)) if mark else None


def _find_csv(path: Path) -> OwnFile | None:
    head, *rows = list(csv.reader(_read_start(path).splitlines()[:2])) or [[]]
    if tuple(head[: len(RESULT_COLUMNS)]) == RESULT_COLUMNS:
        return OwnFile(OwnFileKind.RESULTS)
    is_template = len(head) > 1 and FIELD_BY_NAME.keys() >= set(head) and not rows
    return OwnFile(OwnFileKind.TEMPLATE) if is_template else None


def _read_start(path: Path) -> str:
    with path.open("rb") as stream:
        return stream.read(_MOST_BYTES).decode("utf-8-sig", "replace")


def _read_end(path: Path) -> bytes:
    with path.open("rb") as stream:
        stream.seek(-min(_MOST_BYTES, path.stat().st_size), os.SEEK_END)
        return stream.read()
