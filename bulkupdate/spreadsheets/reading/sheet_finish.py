"""The last step of reading, the same for every kind of file: turn findings into problems, drop superfluous columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bulkupdate.customers.models import Problem
from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.header_row import HeaderRow
from bulkupdate.spreadsheets.reading.sheet import Finding, Sheet


def finish_sheet(
    frame: pd.DataFrame,
    row_numbers: np.ndarray,
    heading: HeaderRow,
    findings: Sequence[Finding],
    notes: Sequence[str],
    sheet_name: str | None,
) -> Sheet:
    """Return the sheet of a frame. Raises `InputFileError` where it has no rows.

    Columns at the right edge without heading and content are left out; any other column stays at its place.
    """
    if frame.empty:
        raise InputFileError(
            f"There are no rows below the headings in row {heading.number}.",
            remedy="Put one customer in each row below the headings and save the file.",
        )
    width = _used_width(frame, heading.headings)
    headings = tuple(heading.headings[:width])
    return Sheet(
        frame=frame.iloc[:, :width],
        headings=headings,
        row_numbers=row_numbers,
        problems=_to_problems(findings, frame, row_numbers, heading),
        notes=(*_note_header(heading), *notes),
        sheet_name=sheet_name,
        heading_row=heading.number,
    )


def _note_header(heading: HeaderRow) -> list[str]:
    if heading.number == 1:
        return []
    return [f"The headings are in row {heading.number}; the rows above them were ignored."]


def _used_width(frame: pd.DataFrame, headings: Sequence[str]) -> int:
    width = len(headings)
    while width and not headings[width - 1].strip() and not frame[width - 1].str.strip().any():
        width -= 1
    return width


def _as_part(sentence: str) -> str:
    """Return a finding's sentence as it stands after a row and column, like the messages of the checks."""
    return sentence[:1].lower() + sentence[1:].removesuffix(".")


def _to_problems(
    findings: Sequence[Finding], frame: pd.DataFrame, row_numbers: np.ndarray, heading: HeaderRow
) -> tuple[Problem, ...]:
    """Turn findings into problems, but for those in blank rows, which are not in the frame: nothing of them is sent."""
    if not findings:
        return ()
    key = heading.key_column
    places = np.searchsorted(row_numbers, [each.row for each in findings])
    problems = []
    for each, place in zip(findings, places, strict=True):
        if place >= len(row_numbers) or row_numbers[place] != each.row:
            continue
        problems.append(
            Problem(
                row=each.row,
                customer_id="" if key is None else str(frame.iat[place, key]).strip(),
                column="" if each.column is None else heading.headings[each.column],
                value=each.value,
                code=each.code,
                message=_as_part(each.message),
                remedy=each.remedy,
                severity=each.severity,
            )
        )
    return tuple(sorted(problems, key=lambda problem: problem.row))
