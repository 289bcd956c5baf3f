"""The options that reading takes, the sheet it returns, and what it found on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bulkupdate.customers.models import Problem, Severity

NumberChoice = Literal["displayed", "stored"]
"""What counts of a number that its format rounds."""


@dataclass(frozen=True)
class ReadOptions:
    """How to read.

    `sheet` is the name of the sheet to take, None to find the one with a key column. `encoding` is that of a text file,
    None to find out. `numbers` says what counts if a number format rounds: the text displayed or the number stored;
    None refuses such cells.
    """

    sheet: str | None
    heading_map: Mapping[str, str]
    max_rows: int
    max_cells: int
    max_unpacked_bytes: int
    encoding: str | None = None
    numbers: NumberChoice | None = None


@dataclass(frozen=True)
class Sheet:
    """A sheet as a person sees it.

    `frame` has every cell's text ("" is blank), dtype str, columns 0 … n-1 as they stand in the file; blank rows are
    left out. `row_numbers` are Excel's, one a row of the frame. `sheet_name` is None for a text file.
    """

    frame: pd.DataFrame
    headings: tuple[str, ...]
    row_numbers: np.ndarray
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    sheet_name: str | None
    heading_row: int


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem before its heading and customer are known. `column` counts from 0; None means the whole row."""

    row: int
    column: int | None
    value: str
    code: str
    message: str
    remedy: str
    severity: Severity = Severity.ERROR
