"""Corrections of single cells: kept beside a file, which is left as it is, and applied each time it is read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from bulkupdate.customers.headings import HeaderRow
from bulkupdate.customers.models import Correction
from bulkupdate.errors import InputFileError
from bulkupdate.files import replace_file
from bulkupdate.spreadsheets.reading.sheet import Sheet

_REMEDY = "Undo the corrections, or read the file as it was read when they were made."


@dataclass(frozen=True)
class Corrections:
    """The corrections of one sheet of a file, which is recognised by its hash.

    `sheet_name` is None for a text file.
    """

    sha256: str
    sheet_name: str | None = None
    cells: tuple[Correction, ...] = ()

    def add(self, made: Iterable[Correction]) -> Corrections:
        """Return these corrections and those made in a sheet with these.

        A second one of a cell that restores the file's text ends both; a first one with the file's text confirms it,
        such as a number that its format rounds.
        """
        by_cell = {(cell.row, cell.column): cell for cell in self.cells}
        for new in made:
            known = by_cell.pop((new.row, new.column), None)
            if known is None or known.before != new.after:
                by_cell[new.row, new.column] = new if known is None else replace(known, after=new.after)
        return replace(self, cells=tuple(cell for _, cell in sorted(by_cell.items())))

    def remove(self, row: int, column: str) -> Corrections:
        """Return these corrections without that of one cell."""
        return replace(self, cells=tuple(cell for cell in self.cells if (cell.row, cell.column) != (row, column)))

    def apply(self, sheet: Sheet, sha256: str) -> Sheet:
        """Return the sheet with the corrected texts, without the problems that reading it found in these cells.

        Raises `InputFileError` if a cell does not hold the text that was corrected.
        """
        if not self.cells:
            return sheet
        if (sha256, sheet.sheet_name) != (self.sha256, self.sheet_name):
            raise InputFileError("The corrections are those of another file or sheet.", remedy=_REMEDY)
        frame = sheet.frame.copy(deep=False)
        places = _find_places(sheet.header)
        by_column: dict[str, list[Correction]] = defaultdict(list)
        for cell in self.cells:
            by_column[cell.column].append(cell)
        for heading, cells in by_column.items():
            if heading not in places:
                raise _refuse(cells[0])
            texts = frame.iloc[:, places[heading]]
            replaced = _replace_texts(texts.tolist(), sheet.row_numbers, cells)
            frame[frame.columns[places[heading]]] = pd.Series(replaced, index=frame.index, dtype=texts.dtype)
        corrected = {(cell.row, cell.column) for cell in self.cells}
        problems = tuple(problem for problem in sheet.problems if (problem.row, problem.column) not in corrected)
        return replace(sheet, frame=frame, problems=problems)


def _find_places(header: HeaderRow) -> Mapping[str, int]:
    """Return the user's own columns, from 0, by their headings; of several with one heading, that of a field."""
    own = [index for index in range(len(header.headings)) if index not in header.added]
    own.sort(key=lambda index: header.fields[index] is not None)
    return {header.headings[index]: index for index in own}


def _replace_texts(texts: list[str], row_numbers: np.ndarray, cells: Iterable[Correction]) -> list[str]:
    for cell in cells:
        index = int(np.searchsorted(row_numbers, cell.row))
        if index == len(row_numbers) or row_numbers[index] != cell.row or texts[index] != cell.before:
            raise _refuse(cell)
        texts[index] = cell.after
    return texts


def _refuse(cell: Correction) -> InputFileError:
    return InputFileError(
        f"The corrections do not fit the sheet as it is read now: row {cell.row}, {cell.column}, is no longer the "
        "text that was corrected.",
        remedy=_REMEDY,
    )


def read_corrections(path: Path | None) -> Corrections:
    """Return the corrections of a file; none if there is no such file. Raises `InputFileError`."""
    if path is None or not path.exists():
        return Corrections("")
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return Corrections(kept["sha256"], kept["sheet_name"], tuple(Correction(*cell) for cell in kept["cells"]))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputFileError(f"The corrections cannot be read ({error}).", remedy="Undo them.") from error


def write_corrections(path: Path, corrections: Corrections) -> None:
    """Write corrections beside their file."""
    kept = {**vars(corrections), "cells": [astuple(cell) for cell in corrections.cells]}
    with replace_file(path) as stream:
        stream.write(json.dumps(kept).encode())  # ASCII: a cell may hold half a character
