"""Turn a pandas DataFrame into a `Sheet`, as if its texts were the cells of a file.

A text is taken as it is; None, NaN and NaT are blank; a whole number becomes its digits, as does a float without a
fraction (pandas makes floats of whole numbers beside a NaN); True and False become Yes and No; another number is
written without an exponent, a date as ISO 8601. Any other value is a problem of its cell, and so is a float that may
have lost digits.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import numbers
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from bulkupdate.customers.headings import missing_key_error, recognize_headings
from bulkupdate.customers.models import Finding
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.frame_builder import FrameBuilder
from bulkupdate.spreadsheets.reading.sheet import CellFinding, ReadOptions, Sheet, make_sheet

SOURCE_NAME = "DataFrame"

_EXACT_FLOAT = 10.0**15
"""Whole floats below this have all of their digits."""


def read_frame(frame: pd.DataFrame, options: ReadOptions) -> Sheet:
    """Return a frame as a sheet. Raises `InputFileError` if it is not a table of customers.

    An index of whole numbers is kept as the row numbers, and its order is that of the rows; with any other index, rows
    count from 0.
    """
    headings = tuple(map(str, frame.columns))
    header = recognize_headings(headings, options.heading_map)
    if header.key_column is None:
        raise missing_key_error(f"The {SOURCE_NAME}", headings, options.heading_map, key=options.key)
    builder, findings = FrameBuilder(len(headings), options), []
    for number, values in _list_rows(frame):
        cells = []
        for column, value in enumerate(values):
            text, finding = _to_text(value)
            cells.append(text)
            if finding is not None:
                findings.append(CellFinding(number, column, finding))
        builder.add(number, cells)
    texts, row_numbers = builder.build()
    return make_sheet(texts, row_numbers, header, findings, (), sheet_name=None)


def hash_frame(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame's headings, row numbers and texts, by which its content is recognised."""
    digest = hashlib.sha256(json.dumps([str(heading) for heading in frame.columns]).encode())
    for number, values in _list_rows(frame):
        digest.update(json.dumps([number, *(_to_text(value)[0] for value in values)]).encode())
    return digest.hexdigest()


def _list_rows(frame: pd.DataFrame) -> Iterator[tuple[int, tuple[Any, ...]]]:
    if pd.api.types.is_integer_dtype(frame.index.dtype):
        if not frame.index.is_unique or (len(frame) and frame.index.min() < 0):
            raise InputFileError(
                f"The index of the {SOURCE_NAME} has a number twice or below 0, so rows cannot be told apart by it.",
                remedy="Use frame.reset_index(drop=True).",
            )
        frame = frame.sort_index()
        row_numbers = frame.index.tolist()
    else:
        row_numbers = list(range(len(frame)))
    yield from zip(row_numbers, frame.astype(object).itertuples(index=False, name=None), strict=True)


def _to_text(value: Any) -> tuple[str, Finding | None]:
    if isinstance(value, str):
        return value, None
    if isinstance(value, bool | np.bool_):
        return ("Yes" if value else "No"), None
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "", None
    if isinstance(value, numbers.Integral):
        return str(int(value)), None
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}", None
    if isinstance(value, float | np.floating) and np.isfinite(value):
        return _write_float(value)
    if isinstance(value, datetime.date | datetime.time):  # a Timestamp is a date, too
        return value.isoformat(), None
    message = f"the value is a Python {type(value).__name__}, which is neither a text nor a number"
    return str(value), Finding.error(ProblemCode.VALUE_TYPE, message)


def _write_float(value: Any) -> tuple[str, Finding | None]:
    """Return the shortest text that stands for exactly this float, of its own precision."""
    text = np.format_float_positional(value, trim="-")
    return text, Finding.error(ProblemCode.LOST_DIGITS) if abs(value) >= _EXACT_FLOAT else None
