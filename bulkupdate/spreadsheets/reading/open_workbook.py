"""The interface of an open workbook, whatever its file format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.cell_checks import SpecialCell

MAX_ROWS = 1_048_576
MAX_SPECIAL_CELLS = 3_000_000

Merge: TypeAlias = tuple[int, int, int, int]
"""First row, first column, last row, last column; rows as Excel numbers them, columns from 0."""

SheetRow: TypeAlias = tuple[int, Sequence[str], Sequence[int]]
"""A row's number, its cells from column A on, and the columns of numbers with more digits than Excel keeps."""


@dataclass
class SheetMetadata:
    """What is known about a sheet besides its texts."""

    special_cells: list[SpecialCell] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    hidden_rows: int = 0
    hidden_columns: int = 0
    formulas: int = 0
    is_1904: bool = False
    hides_zeros: bool = False
    """Whether the sheet shows a blank where a cell holds 0."""

    has_formats_by_rule: bool = False
    """Whether conditional formatting may change number formats."""

    def add_special(self, cell: SpecialCell) -> None:
        """Add a cell. Raises `InputFileError` if there are too many to keep."""
        if len(self.special_cells) >= MAX_SPECIAL_CELLS:
            raise InputFileError(
                f"More than {MAX_SPECIAL_CELLS:,} cells have a number format that must be checked.",
                remedy="Give the columns the format Text or General, or save the sheet as CSV.",
            )
        self.special_cells.append(cell)


class OpenSheet(Protocol):
    """One sheet of an open workbook."""

    @property
    def metadata(self) -> SheetMetadata:
        """What is known besides the texts."""

    @property
    def width(self) -> int:
        """The number of columns in use, from A on."""

    def rows(self, count: int | None = None) -> Iterator[SheetRow]:
        """Yield the rows, which may differ in length; `count` is the maximum, None means all."""


class Workbook(Protocol):
    """An open workbook."""

    @property
    def sheets(self) -> Sequence[tuple[str, bool]]:
        """The names of the sheets with cells, in their order, and whether each is hidden."""

    def open_sheet(self, name: str) -> OpenSheet:
        """Open one of them. Raises `InputFileError` if it cannot be read."""
