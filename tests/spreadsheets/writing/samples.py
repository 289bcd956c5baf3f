"""Records and read-back for the tests of what goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from python_calamine import CalamineWorkbook

from bulkupdate.customers.models import Problem, ResultLine, Severity, Status

FORMULAS = (
    "=1+1",
    "+1 555 000 1234",
    "-5",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://example.com","click")',
    "=cmd|' /C calc'!A0",
    "{=1+1}",
    "'=1+1",
    "''+1",
)
ODD_TEXTS = (
    *FORMULAS,
    "#N/A",
    "#REF!",
    "TRUE",
    "007",
    "163.0",
    "1E5",
    "2026-01-14",
    "http://example.com",
    "mailto:anna@example.com",
    "internal:Sheet1!A1",
    "<r><t>gone</t></r>",
    "<r>gone</r>",
    "_x0041_",
    "_x0041_x0042_",
    "_x005F_x0041_",
    "_x0007\x01",
    "  two  blanks  ",
    "line\nbreak",
    "carriage\r\nreturn",
    "bell\x07",
    "nul\x00byte",
    "a & b < c > d ]]>",
    "\u202eright to left",
    "👩‍💻 Zoë 中文 مرحبا",
    "a,b;c\"d'e",
)


def make_line(
    row: int = 2, status: Status = Status.UPDATED, original: Sequence[str] = ("163", "Anna"), message: str = ""
) -> ResultLine:
    is_sent = status not in (Status.INVALID, Status.UNCHANGED, Status.NOT_ATTEMPTED)
    return ResultLine(
        row=row,
        customer_id=original[0] if original else "",
        status=status,
        http_status=200 if status is Status.UPDATED else None,
        attempts=1 if is_sent else 0,
        fields_sent=("Name", "Email") if is_sent else (),
        message=message,
        finished_at="2026-01-14T09:38:49Z" if is_sent else "",
        original=tuple(original),
    )


def count(lines: Sequence[ResultLine]) -> Mapping[Status, int]:
    return Counter(line.status for line in lines)


def make_problem(row: int, column: str, message: str = "There is no @.", *, warning: bool = False) -> Problem:
    return Problem(
        row=row,
        customer_id="163",
        column=column,
        value="anna",
        code="email",
        message=message,
        remedy="Write it like anna@example.com.",
        severity=Severity.WARNING if warning else Severity.ERROR,
    )


def read_back(path: Path, sheet: str) -> list[list[object]]:
    """Every cell as calamine, our own reader's engine, gives it."""
    return CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python()
