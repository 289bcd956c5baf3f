"""Cells whose text is not simply their value: error cells, formulas never calculated, numbers under a format.

Every kind of Excel file is scanned for them in its own way; what they come to is decided here alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from bulkupdate.customers.fields import CLEAR, CUSTOMER_ID, Field
from bulkupdate.customers.models import Severity
from bulkupdate.spreadsheets.reading.number_display import DisplayedNumber, format_general, show_number, show_text
from bulkupdate.spreadsheets.reading.sheet import Finding, NumberChoice

LOST_DIGITS_FROM = 1e15
"""Excel keeps 15 digits: of a larger whole number the end has become zeros."""

AS_TEXT = "Format the column as Text, then type the value again."


class Special(Enum):
    """Why a cell needs a look."""

    ERROR = "error"
    UNCALCULATED = "formula never calculated"
    NUMBER = "number under a format"
    TEXT = "text under a format"


@dataclass(frozen=True, slots=True)
class SpecialCell:
    """One such cell.

    `row` is Excel's, `column` counts from 0. `text` is the error's name or the formula, where known; `number` and
    `format_code` are those of a number, `format_code` that of a text too; `shown` is what a number shows as where the
    file itself says so.
    """

    row: int
    column: int
    special: Special
    text: str = ""
    number: float = 0.0
    format_code: str = ""
    shown: DisplayedNumber | None = None

    def moved(self, row: int, column: int) -> SpecialCell:
        """Return the same cell at another place."""
        return replace(self, row=row, column=column)


def resolve_cell(
    cell: SpecialCell, field: Field | None, *, is_1904: bool = False, numbers: NumberChoice | None = None
) -> tuple[str, Finding | None]:
    """Return the text that a user sees in the cell, and what is wrong or doubtful about it.

    `field` is the column's, None for a column that is not a field: nothing is ever found there, as it is not sent.
    `is_1904`: the file counts days from 1904. `numbers` says what counts of a number that its format rounds.
    """
    if cell.special is Special.NUMBER:
        text, finding = _judge_number(cell, field, is_1904, numbers)
        return text, finding if field else None
    if field is None:
        return cell.text, None
    return cell.text, _error_cell(cell) if cell.special is Special.ERROR else _uncalculated(cell)


def judge_text(cell: SpecialCell, text: str) -> tuple[str, Finding | None]:
    """Return the text seen in a cell that holds `text` under a format for texts, and what is wrong about it."""
    shown = show_text(text, cell.format_code)
    return (text, _unknown_format(cell, text)) if shown is None else (shown, None)


def find_lost_digits(row: int, column: int, text: str) -> Finding:
    """Return the finding for a number of more than 15 digits."""
    message = "The number has more than 15 digits: Excel has replaced the end by zeros."
    return Finding(row, column, text, "lost-digits", message, AS_TEXT)


def _judge_number(
    cell: SpecialCell, field: Field | None, is_1904: bool, numbers: NumberChoice | None
) -> tuple[str, Finding | None]:
    shown = cell.shown or show_number(cell.number, cell.format_code, is_1904=is_1904)
    if shown.is_date:
        return _judge_date(cell, shown, field)
    if abs(cell.number) >= LOST_DIGITS_FROM:
        return shown.plain, find_lost_digits(cell.row, cell.column, shown.plain)
    if shown.is_scientific:
        return shown.plain, _decorated(cell, "an exponent (as in 5.55E+09)", shown.plain)
    if shown.text is None:
        return shown.plain, _unknown_format(cell, shown.plain)
    if not shown.text:
        return shown.plain, _rounded(cell, "nothing", can_choose=False)
    if shown.is_rounded and not (shown.text == "-" and shown.is_money):
        return _resolve_rounded(cell, shown, field, numbers)
    if shown.text == shown.plain or field is None or field.type.is_text or not shown.is_money:
        return shown.text, None
    return shown.plain, _decorated(cell, shown.text, shown.plain)


def _resolve_rounded(
    cell: SpecialCell, shown: DisplayedNumber, field: Field | None, numbers: NumberChoice | None
) -> tuple[str, Finding | None]:
    """Take the text displayed or the number stored, as the user has chosen for the file; else refuse the cell.

    A percentage and a scaled number (5 for 5000) are not merely rounded: they stay refused, and so does a customer id,
    which rounded is that of another customer.
    """
    displayed = shown.text or ""
    is_merely_rounded = shown.plain != format_general(cell.number)
    can_choose = is_merely_rounded and field is not CUSTOMER_ID
    if numbers is None or not can_choose:
        return displayed, _rounded(cell, displayed, can_choose=can_choose)
    if numbers == "stored":
        return format_general(cell.number), None
    is_number = field is not None and not field.type.is_text
    return shown.plain if is_number and shown.is_money else displayed, None


def _judge_date(cell: SpecialCell, shown: DisplayedNumber, field: Field | None) -> tuple[str, Finding]:
    if shown.text is None:
        is_text = field is not None and field.type.is_text
        message = (
            "The cell holds a date; how it shows depends on the computer." if is_text else "The cell holds a date."
        )
        return shown.plain, _finding(cell, shown.plain, "date", message, AS_TEXT)
    message = f"The cell holds a date; it is read as it shows: {shown.text}."
    remedy = f"If something else is meant: {AS_TEXT[0].lower()}{AS_TEXT[1:]}"
    return shown.text, _finding(cell, shown.text, "date", message, remedy, Severity.WARNING)


def _finding(
    cell: SpecialCell, value: str, code: str, message: str, remedy: str, severity: Severity = Severity.ERROR
) -> Finding:
    return Finding(cell.row, cell.column, value, code, message, remedy, severity)


def _error_cell(cell: SpecialCell) -> Finding:
    remedy = f"Type the value, leave the cell blank for no change, or type {CLEAR} to empty the field."
    return _finding(cell, cell.text, "error-cell", f"The cell shows the error {cell.text}.", remedy)


def _uncalculated(cell: SpecialCell) -> Finding:
    return _finding(
        cell, cell.text, "formula-not-calculated", "The cell has a formula that was never calculated.",
        "Open the file in Excel and save it, or replace the formulas by their values (copy, paste special, values).",
    )  # fmt: skip


def _rounded(cell: SpecialCell, seen: str, *, can_choose: bool) -> Finding:
    holds = show_number(cell.number, "General").plain
    message = f"The cell shows {seen} but holds {holds}."
    choice = "; or decide for the whole file: --numbers displayed or --numbers stored" if can_choose else ""
    remedy = f"Type the value that should be sent{choice}."
    return _finding(cell, seen if seen != "nothing" else "", "rounded-display", message, remedy)


def _unknown_format(cell: SpecialCell, text: str) -> Finding:
    message = f"The cell holds {text}, but its number format ({cell.format_code}) shows something else."
    return _finding(
        cell, text, "number-format", message, "Give the cell the format Text or General and check its value."
    )


def _decorated(cell: SpecialCell, seen: str, plain: str) -> Finding:
    message = f"The cell shows {seen}; it is read as {plain}."
    return _finding(cell, plain, "number-format", message, "Nothing, if that is meant.", Severity.WARNING)
