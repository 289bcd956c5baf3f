"""The options of reading, and the sheet that it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from bulkupdate.customers.headings import HeaderRow
from bulkupdate.customers.models import Finding, Problem
from bulkupdate.errors import InputFileError

NumberChoice = Literal["displayed", "stored"]
"""Which number is used if a number format rounds."""


class SheetTop(NamedTuple):
    """The first rows of a sheet with their numbers. `sheet_name` is None for a text file or DataFrame."""

    sheet_name: str | None
    rows: Sequence[tuple[int, Sequence[str]]]


ReadTops: TypeAlias = Callable[[str | None, str | None], Sequence[SheetTop]]
"""Returns the tops of a file's sheets; of a text file, one for each delimiter.

The arguments are the encoding, None to detect it, and the name of a sheet, None for all visible ones.
"""


@dataclass(frozen=True)
class ReadOptions:
    """How to read.

    `sheet` is the name of the sheet to take, None to find the one with a key column. `encoding` is that of a text file,
    None to detect it. `numbers` says what counts if a number format rounds: the text displayed or the number stored;
    None refuses such cells. `key` names the column that the heading map takes for the customer ids, None if it takes
    none: for errors. `choose` has the last word on all of it, having seen the tops of the file; None: it is as given.
    """

    sheet: str | None
    heading_map: Mapping[str, str]
    max_rows: int
    max_cells: int
    max_unpacked_bytes: int
    encoding: str | None = None
    numbers: NumberChoice | None = None
    key: str | None = None
    choose: Callable[[ReadTops], ReadOptions] | None = None

    def choose_for(self, read_tops: ReadTops) -> ReadOptions:
        """Return how to read a file that has these tops."""
        return self if self.choose is None else self.choose(read_tops)


@dataclass(frozen=True)
class Sheet:
    """A sheet as its user sees it.

    `frame` has every cell's text ("" is blank), dtype str, columns 0 … n-1 in the order of the file; blank rows are
    left out. `row_numbers` are Excel's, one for each row of the frame. `sheet_name` is None for a text file.
    """

    frame: pd.DataFrame
    header: HeaderRow
    row_numbers: np.ndarray
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    sheet_name: str | None

    @property
    def headings(self) -> tuple[str, ...]:
        """The heading of each column."""
        return self.header.headings

    @property
    def customer_ids(self) -> list[str]:
        """The texts of the key column; empty if there is none."""
        key = self.header.key_column
        return [] if key is None else self.frame.iloc[:, key].tolist()

    def add_warning(self, finding: Finding) -> Sheet:
        """Return the sheet with a finding about the file as a whole, as the first problem."""
        problem = finding.at(self.header.number, customer_id="", column="", value="")
        return replace(self, problems=(problem, *self.problems))


@dataclass(frozen=True, slots=True)
class CellFinding:
    """A finding with its place.

    `row` is Excel's. `column` counts from 0; None means the whole row, and `text` then what is wrong in it.
    """

    row: int
    column: int | None
    finding: Finding
    text: str = ""


def make_sheet(
    frame: pd.DataFrame,
    row_numbers: np.ndarray,
    header: HeaderRow,
    findings: Sequence[CellFinding],
    notes: Sequence[str],
    sheet_name: str | None,
) -> Sheet:
    """Return the sheet of a frame. Raises `InputFileError` if it has no rows.

    Columns at the right edge without heading and content are left out; any other column keeps its place.
    """
    if frame.empty:
        where = f" below the headings in row {header.number}" if header.number else ""
        raise InputFileError(
            f"There are no rows{where}.",
            remedy=f"Put one customer in each row{where and ' below the headings'} and save the file.",
        )
    width = len(header.headings)
    while width and not header.headings[width - 1].strip() and not frame[width - 1].str.strip().any():
        width -= 1
    if header.number > 1:
        notes = (f"The headings are in row {header.number}; the rows above them were ignored.", *notes)
    problems = sorted(_to_problems(findings, frame, row_numbers, header), key=lambda problem: problem.row)
    return Sheet(
        frame.iloc[:, :width], header.resize(width), row_numbers, tuple(problems), tuple(notes), sheet_name
    )  # fmt: skip


def _to_problems(
    findings: Sequence[CellFinding], frame: pd.DataFrame, row_numbers: np.ndarray, header: HeaderRow
) -> Iterator[Problem]:
    """Yield the problems of the findings, except those in blank rows, which are not sent."""
    key = header.key_column
    indexes = np.searchsorted(row_numbers, [found.row for found in findings])
    for found, index in zip(findings, indexes.tolist(), strict=True):
        if index < len(row_numbers) and row_numbers[index] == found.row:
            yield found.finding.at(
                row=found.row,
                customer_id="" if key is None else str(frame.iat[index, key]).strip(),
                column="" if found.column is None else header.headings[found.column],
                value=found.text if found.column is None else str(frame.iat[index, found.column]),
            )
