"""Inspect the zip container of an .xlsx, .xlsb or .ods file before anything unpacks it."""

from __future__ import annotations

import copy
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.sheet import ReadOptions

MAX_PARTS = 10_000
LARGEST_PARSED_BYTES = 8 << 20
"""Parsed XML takes about thirty times its size in memory."""

BLOCK_BYTES = 1 << 20

SUSPECT_RATIO = 200
"""A part that unpacks to more than this many times its size is a bomb; a million formatted blank rows have 40."""

SUSPECT_BYTES = 32 << 20
"""Smaller parts may be packed more densely."""

_ENCRYPTED = 0x1


class Package:
    """The parts of the file, by name as calamine finds them: upper or lower case, slashes or backslashes.

    Raises `InputFileError` if the container is damaged or a bomb.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        self._path = path
        self._options = options
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError:
            raise
        except Exception as error:  # a damaged file may cause any exception in zipfile
            raise self.damaged_error() from error
        self._parts = {_fold_name(info.filename): info for info in self._zip.infolist()}
        self._check_directory()

    @property
    def names(self) -> list[str]:
        """The names of all its parts."""
        return self._zip.namelist()

    def __contains__(self, name: str) -> bool:
        return _fold_name(name) in self._parts

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a part, block by block. Raises `InputFileError` if its size is not that in the directory."""
        info = self._parts.get(_fold_name(name))
        if info is None:
            raise self.damaged_error()
        honest = copy.copy(info)
        honest.file_size = 1 << 62
        total = 0
        try:
            with self._zip.open(honest) as part:
                while block := part.read(BLOCK_BYTES):
                    total += len(block)
                    if total > info.file_size:
                        raise self._bomb_error()
                    yield block
        except InputFileError:
            raise
        except Exception as error:  # as above, and zlib too
            raise self.damaged_error() from error
        if total != info.file_size:
            raise self.damaged_error()

    def xml_blocks(self, name: str) -> Iterator[bytes]:
        """Yield a part of XML, block by block.

        Raises `InputFileError` if it declares a document type or entities: no spreadsheet program does, and they can
        make a small file expand without limit. They precede the first element, so only the first block is checked; a
        block without any element is not part of a spreadsheet.
        """
        for index, block in enumerate(self.blocks(name)):
            if index == 0:
                self._check_prolog(block)
            yield block

    def parse_xml(self, name: str) -> Element:
        """Return a small part of XML, parsed. Raises `InputFileError` if it is not well formed or not small."""
        collected = bytearray()
        for block in self.xml_blocks(name):
            collected += block
            if len(collected) > LARGEST_PARSED_BYTES:
                raise self._bomb_error()
        try:
            return fromstring(bytes(collected), forbid_dtd=True)
        except (ParseError, ValueError, LookupError) as error:
            raise self.damaged_error() from error

    def damaged_error(self) -> InputFileError:
        """Return the error for a container that cannot be read."""
        return InputFileError(
            f"{self._path.name} is damaged or cut off: it cannot be unpacked.",
            remedy="Open it in Excel and save it again, or copy it again from its source.",
        )

    def _check_prolog(self, start: bytes) -> None:
        if b"<!DOCTYPE" in start or b"<!ENTITY" in start:
            raise InputFileError(
                f"{self._path.name} declares XML entities, which no spreadsheet program writes; it was not read.",
                remedy="Open it in Excel and save it again as .xlsx.",
            )
        if not re.search(rb"<[A-Za-z_]", start):
            raise self.damaged_error()

    def _check_directory(self) -> None:
        infos = self._zip.infolist()
        if any(info.flag_bits & _ENCRYPTED for info in infos):
            raise encrypted_error(self._path)
        if len(infos) > MAX_PARTS or len(self._parts) < len(infos) or any(map(_is_trick, self._parts)):
            raise self._bomb_error()
        if sum(info.file_size for info in infos) > self._options.max_unpacked_bytes:
            raise InputFileError(
                f"{self._path.name} unpacks to more than {self._options.max_unpacked_bytes:,} bytes.",
                remedy="Split it, save it as CSV, or raise the limit: BULKUPDATE_MAX_UNPACKED_BYTES.",
            )
        for info in infos:
            if info.file_size > SUSPECT_BYTES and info.file_size > SUSPECT_RATIO * max(1, info.compress_size):
                raise self._bomb_error()

    def _bomb_error(self) -> InputFileError:
        return InputFileError(
            f"{self._path.name} is packed in a way that no spreadsheet program uses (a zip bomb?); it was not read.",
            remedy="If you trust it, open it in Excel and save it again.",
        )


def encrypted_error(path: Path) -> InputFileError:
    """Return the error for a file that is protected by a password."""
    return InputFileError(
        f"{path.name} is password-protected.",
        remedy="Open it in Excel, remove the password (File, Info, Protect Workbook) and save it.",
    )


def _fold_name(name: str) -> str:
    return name.replace("\\", "/").lower()


def _is_trick(name: str) -> bool:
    parts = name.split("/")
    return name.startswith("/") or ".." in parts or ":" in parts[0]
