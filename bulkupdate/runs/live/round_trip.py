"""Turn a live value into a cell that gives the same value when the sheet is read again."""

from __future__ import annotations

from typing import NamedTuple

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import Field
from bulkupdate.customers.models import Severity
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import format_value
from bulkupdate.runs.live.diff import is_same
from bulkupdate.spreadsheets.writing.escaping import shorten


class RoundTripCell(NamedTuple):
    """A cell's text, empty if no text means the value; `loss` says what the cell does not hold, empty for nothing."""

    text: str
    loss: str = ""


def to_cell(field: Field, value: Value) -> RoundTripCell:
    """Return the cell for a value that is not empty; what cannot be typed into a sheet is left out."""
    text = format_value(field, value)
    if shorten(text) != text:
        return RoundTripCell("", f"has {len(text):,} characters, more than an Excel cell can hold")
    reading = parse_cell(field, text)
    if reading.value is None or not is_same(reading.value, value):
        why = next((finding.message for finding in reading.findings if finding.severity is Severity.ERROR), "")
        return RoundTripCell("", f"a sheet cannot hold it: {why or 'it would be read as another value'}")
    return RoundTripCell(text, "" if reading.value == value else "blanks around the text are left out")
