"""What a scan of a worksheet's XML collects, whether by tokens or by parsing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite

from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import CellCoordinatesException

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.cell_checks import LOST_DIGITS_FROM, NOT_FINITE, Special, SpecialCell
from bulkupdate.spreadsheets.reading.number_format import shows_all_as_is, shows_integers_as_is, shows_texts_as_is
from bulkupdate.spreadsheets.reading.open_workbook import MAX_ROWS, Merge, SheetMetadata

TEXT_TYPES = ("s", "str", "inlineStr")


@dataclass(frozen=True)
class Styles:
    """The number format of each cell style.

    `is_uncalculated`: the program that wrote the file left the calculation to Excel, so that a formula's stored 0 is
    not a result (XlsxWriter stores 0 everywhere).
    """

    codes: Sequence[str]
    is_uncalculated: bool = False

    def code(self, style: int) -> str:
        """Return the format of a style; General if the file does not have it."""
        return self.codes[style] if 0 <= style < len(self.codes) else "General"


@dataclass
class Extent:
    """The range of a sheet's filled cells: the last row as Excel numbers it, the last column from 0; 0 and 0 for none.

    `filled` is their number at most. `text_bytes` are those of the texts within the cells, not of the shared ones.
    """

    last_row: int = 0
    last_column: int = 0
    filled: int = 0
    text_bytes: int = 0

    def reach(self, row: int, column: int) -> None:
        """Extend the range to a filled cell."""
        self.last_row = max(self.last_row, row)
        self.last_column = max(self.last_column, column)

    @property
    def area(self) -> int:
        """The number of cells in the rectangle from A1 to the last of them."""
        return self.last_row * (self.last_column + 1)


@dataclass
class SheetScan:
    """The result of a scan."""

    styles: Styles
    metadata: SheetMetadata = field(default_factory=SheetMetadata)
    _seen_rows: bytearray = field(default_factory=lambda: bytearray(MAX_ROWS + 1))

    def take_rows(self, numbers: Iterable[int]) -> None:
        """Record row numbers. Raises `InputFileError` if two are equal: one of the rows would be lost."""
        for number in numbers:
            if not 0 < number <= MAX_ROWS:
                continue
            if self._seen_rows[number]:
                raise InputFileError(
                    f"A sheet of the file is damaged: it has two rows {number:,}.",
                    remedy="Open it in Excel and save it again.",
                )
            self._seen_rows[number] = 1

    def take_cell(
        self, row: int, column: int, attributes: tuple[int, str], formula: str | None, value: str | None
    ) -> None:
        """Record a cell.

        `attributes` are its style and its type; `formula` and `value` are None if the cell does not have them.
        """
        style, kind = attributes
        special = self._classify(row, column, style, kind, formula, value)
        if formula is not None and (special is None or special.special is Special.NUMBER):
            self.metadata.formulas += 1
        if special:
            self.metadata.add_special(special)

    def _classify(
        self, row: int, column: int, style: int, kind: str, formula: str | None, value: str | None
    ) -> SpecialCell | None:
        if kind == "e":
            return SpecialCell(row, column, Special.ERROR, value or "#N/A")
        if formula is not None and self._is_uncalculated(kind, value):
            return SpecialCell(row, column, Special.UNCALCULATED, f"={formula}")
        if kind in TEXT_TYPES:
            code = self.styles.code(style)
            return None if shows_texts_as_is(code) else SpecialCell(row, column, Special.TEXT, format_code=code)
        if kind == "b" or not value:
            return None
        code = self.styles.code(style)
        number = _to_number(value, is_iso=kind == "d")
        if number is not None and not isfinite(number):
            return SpecialCell(row, column, Special.ERROR, NOT_FINITE, number, code)
        if number is None or (_shows_as_is(number, code) and kind != "d"):
            return None
        return SpecialCell(row, column, Special.NUMBER, number=number, format_code=code)

    def _is_uncalculated(self, kind: str, value: str | None) -> bool:
        if kind in TEXT_TYPES or kind == "b":
            return value is None
        return not value or (value == "0" and self.styles.is_uncalculated)


def _shows_as_is(number: float, code: str) -> bool:
    if abs(number) >= LOST_DIGITS_FROM:
        return False
    return shows_all_as_is(code) or (shows_integers_as_is(code) and number.is_integer())


def _to_number(value: str, *, is_iso: bool) -> float | None:
    """Return the cell's number; a date in ISO form becomes the days since 1900. None if it is neither."""
    try:
        if is_iso:
            moment = datetime.fromisoformat(value).replace(tzinfo=None)
            return (moment - datetime(1899, 12, 30)).total_seconds() / 86_400
        return float(value)
    except ValueError:
        return None


def to_merge(reference: str) -> Merge:
    """Return a reference such as `A2:B3` as a merge; an invalid one covers nothing."""
    try:
        first_column, first_row, last_column, last_row = range_boundaries(reference)
    except (ValueError, CellCoordinatesException):
        return (0, 0, 0, 0)
    return int(first_row or 0), int(first_column or 1) - 1, int(last_row or 0), int(last_column or 1) - 1
