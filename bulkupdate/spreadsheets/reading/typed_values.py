"""Turn rows of typed values (of a DataFrame, a Parquet or a JSON Lines file) into a `Sheet`.

A text is taken as it is; None, NaN and NaT are blank; a whole number becomes its digits, as does a float without a
fraction (pandas makes floats of whole numbers beside a NaN); True and False become Yes and No; another number is
written without an exponent, a date as ISO 8601. Any other value is a problem of its cell, and so is a float that may
have lost digits.
"""

from __future__ import annotations

import datetime
import json
import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from bulkupdate.customers.headings import missing_key_error, recognize_headings
from bulkupdate.customers.models import Finding
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.csv_records import MAX_FIELD
from bulkupdate.spreadsheets.reading.frame_builder import FrameBuilder
from bulkupdate.spreadsheets.reading.sheet import CellFinding, ReadOptions, Sheet, SheetTop, make_sheet

_EXACT_DIGITS = {np.float16: 3, np.float32: 6}
"""How many digits of a whole number such a float keeps for certain; others keep 15."""

_NAMES = {"dict": "an object", "list": "a list", "bytes": "binary data"}


@dataclass(frozen=True, slots=True)
class RefusedValue:
    """A value that its file already shows to be wrong."""

    text: str
    finding: Finding


def make_typed_sheet(
    name: str,
    headings: Sequence[str],
    rows: Iterable[tuple[int, Sequence[Any]]],
    options: ReadOptions,
) -> Sheet:
    """Return rows, each with its number and a value for each heading, as a sheet. `name` is the source, as a subject.

    What is wrong in a column that is not sent does not matter. Raises `InputFileError` if it is not a table of
    customers.
    """
    options = options.choose_for(lambda _encoding, _name: [SheetTop(None, [(0, headings)])])
    header = recognize_headings(headings, options.heading_map, number=0)
    if header.key_column is None:
        raise missing_key_error(name, headings, options.heading_map, key=options.key)
    builder, findings = FrameBuilder(len(headings), options), []
    for number, values in rows:
        cells = []
        for column, value in enumerate(values):
            text, finding = to_text(value)
            cells.append(text)
            if finding is not None and header.fields[column]:
                findings.append(CellFinding(number, column, finding))
        builder.add(number, cells)
    texts, row_numbers = builder.build()
    return make_sheet(texts, row_numbers, header, findings, (), sheet_name=None)


def to_text(value: Any) -> tuple[str, Finding | None]:
    """Return the text of a value, and what is wrong with it, None if nothing is."""
    if value is None:
        return "", None
    if isinstance(value, str):
        return value, _check_text(value)
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
    if isinstance(value, RefusedValue):
        return value.text, value.finding
    text = json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)
    return text[:MAX_FIELD], refuse_type(value)


def refuse_type(value: Any) -> Finding:
    """Return the finding on a value that is neither a text nor a number."""
    kind = type(value).__name__
    what = _NAMES.get(kind, f"a Python {kind}")
    return Finding.error(ProblemCode.VALUE_TYPE, f"the value is {what}, which is neither a text nor a number")


def _write_float(value: Any) -> tuple[str, Finding | None]:
    """Return the shortest text that stands for exactly this float, of its own precision."""
    text = np.format_float_positional(value, trim="-")
    is_exact = abs(float(value)) < 10.0 ** _EXACT_DIGITS.get(type(value), 15)
    return text, None if is_exact else Finding.error(ProblemCode.LOST_DIGITS)


def _check_text(text: str) -> Finding | None:
    """Refuse half of a surrogate pair. Raises `InputFileError` if the text is far too long."""
    if len(text) > MAX_FIELD:
        raise InputFileError(
            f"A value has more than {MAX_FIELD:,} characters.", remedy="Shorten it: no customer field is so long."
        )
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        return Finding.error(ProblemCode.BROKEN_CHARACTER)
    return None
