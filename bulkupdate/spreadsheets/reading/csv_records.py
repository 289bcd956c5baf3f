"""Read the records of a delimited text, strictly, so that one open quotation mark does not swallow the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, TypeAlias

from bulkupdate.errors import InputFileError

MAX_FIELD = 1_000_000
"""Characters of one cell; more means an open quotation mark. Excel allows 32,767."""

MAX_LINE = 20_000_000
"""Characters up to a line break, so that a file without line breaks does not fill the memory."""

MAX_BROKEN_ROWS = 100
"""If the quotation marks of more rows do not match up, the file is not a CSV file."""


Record: TypeAlias = tuple[int, list[str], bool]
"""One row: its number as Excel counts it, its fields, and whether its quotation marks do not match up."""


def read_records(path: Path, encoding: str, delimiter: str) -> Iterator[Record]:
    """Yield every record of the file, blank ones included (they are rows in Excel too).

    A line `sep=;` at the top is not a row, as in Excel. A row whose quotation marks do not match up ends with its first
    line; the lines that it would have swallowed are read as separate rows, and count as broken too, as they may not be
    rows.
    """
    csv.field_size_limit(MAX_FIELD)
    with path.open(encoding=encoding, newline="") as file:
        if separator_line(path, encoding):
            file.readline()
        lines = _Lines(file, path)
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        number, broken = 0, 0
        first_broken = 0
        while True:
            lines.start_record()
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:
                fields = lines.give_back_all_but_first().rstrip("\r\n").split(delimiter)
                lines.is_doubtful = True
            number += 1
            if lines.is_doubtful:
                broken += 1
                first_broken = first_broken or number
            if broken > MAX_BROKEN_ROWS:
                raise _not_csv_error(path, first_broken)
            yield number, fields, lines.is_doubtful


def separator_line(path: Path, encoding: str) -> str | None:
    """Return the delimiter that a line `sep=;` at the top names, None if there is no such line."""
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline(16).rstrip("\r\n").strip(' "')
    return first[4] if first[:4].lower() == "sep=" and len(first) == 5 else None


class _Lines:
    """The lines of a file; those of the current record can be read again."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._current: list[str] = []
        self._waiting: list[str] = []
        self.is_doubtful = False
        """Whether the current record has a line that a broken record would have swallowed."""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        self.is_doubtful |= bool(self._waiting)
        line = self._waiting.pop() if self._waiting else self._file.readline(MAX_LINE)
        if not line:
            raise StopIteration
        if len(line) >= MAX_LINE:
            raise InputFileError(
                f"{self._path.name} is not a CSV file of customers: it has a line of {len(line):,} characters or more.",
                remedy="Export the file again, with one customer on each line.",
            )
        self._current.append(line)
        return line

    def start_record(self) -> None:
        self._current.clear()
        self.is_doubtful = False

    def give_back_all_but_first(self) -> str:
        first, *rest = self._current
        self._waiting.extend(reversed(rest))
        return first


def _not_csv_error(path: Path, row: int) -> InputFileError:
    return InputFileError(
        f"{path.name} is not a valid CSV file: from row {row} on, the quotation marks of more than {MAX_BROKEN_ROWS} "
        "rows do not match up.",
        remedy='Within quotation marks, a quotation mark is written twice: "The ""Best"" Shop".',
    )
