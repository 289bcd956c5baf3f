"""The interface that every kind of workbook offers once it is open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.cell_checks import SpecialCell

MOST_SPECIAL_CELLS = 3_000_000

Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column; rows as Excel numbers them, columns from 0."""


@dataclass
class SheetMetadata:
    """What is known of a sheet beside its texts."""

    special_cells: list[SpecialCell] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: int = 0
    formulas: int = 0
    is_1904: bool = False
    hides_zeros: bool = False
    """Whether the sheet shows a blank where a cell holds 0."""
    long_numbers: set[tuple[int, int]] = field(default_factory=set)
    """Row and column of numbers with more digits than Excel keeps; known once the rows were read."""

    def add_special(self, cell: SpecialCell) -> None:
        """Take one more. Raises `InputFileError` where there are too many to keep."""
        if len(self.special_cells) >= MOST_SPECIAL_CELLS:
            raise InputFileError(
                f"More than {MOST_SPECIAL_CELLS:,} cells have a number format that must be looked into.",
                remedy="Give the columns the format Text or General, or save the sheet as CSV.",
            )
        self.special_cells.append(cell)


class OpenSheet(Protocol):
    """One sheet of an open workbook."""

    @property
    def facts(self) -> SheetMetadata:
        """What is known beside the texts."""

    @property
    def width(self) -> int:
        """How many columns from A on have anything in them."""

    def rows(self, count: int | None = None) -> Iterator[tuple[int, Sequence[str]]]:
        """Rows with their numbers, from column A, of any lengths; `count` is how many at most, None means all."""


class Workbook(Protocol):
    """An open workbook."""

    @property
    def sheets(self) -> Sequence[tuple[str, bool]]:
        """The names of the sheets with cells, in their order, and whether each is hidden."""

    def open_sheet(self, name: str) -> OpenSheet:
        """Open one of them. Raises `InputFileError` where it cannot be read."""
