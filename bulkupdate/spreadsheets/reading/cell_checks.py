"""Cells whose text is not simply their value: error cells, formulas never calculated, numbers under a format.

Each kind of Excel file is scanned for them in its own way; only this module decides what they mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from bulkupdate.customers.fields import CUSTOMER_ID, Field
from bulkupdate.customers.models import Finding
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.spreadsheets.reading.number_display import DisplayedNumber, format_general, show_number, show_text
from bulkupdate.spreadsheets.reading.sheet import NumberChoice

LOST_DIGITS_FROM = 1e15
"""Excel keeps 15 digits: the other digits of a larger whole number have become zeros."""

NOT_FINITE = "#NUM!"
"""What Excel shows for a number that is infinite or undefined; only damaged files hold one."""

LOST_DIGITS = Finding.error(ProblemCode.LOST_DIGITS)
_UNCALCULATED = Finding.error(ProblemCode.FORMULA_NOT_CALCULATED)


class Special(Enum):
    """Why a cell's text is not simply its value."""

    ERROR = "error"
    UNCALCULATED = "formula never calculated"
    NUMBER = "number under a format"
    TEXT = "text under a format"


@dataclass(frozen=True, slots=True)
class SpecialCell:
    """One such cell.

    `row` is Excel's, `column` counts from 0. `text` is the error's name or the formula, if known; `number` is set for a
    number, `format_code` for a number or a text; `shown` is how a number is displayed, if the file itself says so.
    """

    row: int
    column: int
    special: Special
    text: str = ""
    number: float = 0.0
    format_code: str = ""
    shown: DisplayedNumber | None = None

    def move(self, row: int, column: int) -> SpecialCell:
        """Return the same cell at another place."""
        return replace(self, row=row, column=column)


Resolved = tuple[str, Finding | None]
"""The text that a user sees in a cell, and what is wrong or doubtful about it."""


def resolve_cell(
    cell: SpecialCell, field: Field | None, *, is_1904: bool = False, numbers: NumberChoice | None = None
) -> Resolved:
    """Resolve a cell of any kind but `Special.TEXT`.

    `field` is the column's, None for a column that is not a field. `is_1904`: the file counts days from 1904. `numbers`
    says which number is used if the format rounds, None to refuse the cell.
    """
    if cell.special is Special.NUMBER:
        return _resolve_number(cell, field, is_1904, numbers)
    if cell.special is Special.ERROR:
        return cell.text, Finding.error(ProblemCode.ERROR_CELL, f"the cell shows the error {cell.text}")
    return cell.text, _UNCALCULATED


def resolve_text(cell: SpecialCell, text: str) -> Resolved:
    """Resolve a cell that holds `text` under a format for texts."""
    shown = show_text(text, cell.format_code)
    return (text, _find_unknown_format(cell, text)) if shown is None else (shown, None)


def _resolve_number(cell: SpecialCell, field: Field | None, is_1904: bool, numbers: NumberChoice | None) -> Resolved:
    shown = cell.shown or show_number(cell.number, cell.format_code, is_1904=is_1904)
    if shown.is_date:
        return _resolve_date(shown, field)
    if abs(cell.number) >= LOST_DIGITS_FROM:
        return shown.plain, LOST_DIGITS
    if shown.is_scientific:
        return shown.plain, _find_decoration("an exponent (as in 5.55E+09)", shown.plain)
    if shown.text is None:
        return shown.plain, _find_unknown_format(cell, shown.plain)
    if not shown.text:
        return shown.plain, _find_rounding(cell, "nothing", can_choose=False)
    if shown.is_rounded and not (shown.text == "-" and shown.is_money):
        return _resolve_rounded(cell, shown, field, numbers)
    if shown.text == shown.plain or field is None or field.type.is_text or not shown.is_money:
        return shown.text, None
    return shown.plain, _find_decoration(shown.text, shown.plain)


def _resolve_rounded(
    cell: SpecialCell, shown: DisplayedNumber, field: Field | None, numbers: NumberChoice | None
) -> Resolved:
    """Return the text displayed or the number stored, as the user chose for the file; otherwise refuse the cell.

    Percentages and scaled numbers (5 for 5000) are not merely rounded: they stay refused, and so does a customer id,
    which when rounded is that of another customer.
    """
    displayed = shown.text or ""
    is_merely_rounded = shown.plain != format_general(cell.number)
    can_choose = is_merely_rounded and field is not CUSTOMER_ID
    if numbers is None or not can_choose:
        return displayed, _find_rounding(cell, displayed, can_choose=can_choose)
    if numbers == "stored":
        return format_general(cell.number), None
    is_number = field is not None and not field.type.is_text
    return shown.plain if is_number and shown.is_money else displayed, None


def _resolve_date(shown: DisplayedNumber, field: Field | None) -> Resolved:
    if shown.text is not None:
        message = f"the cell holds a date; it is read as displayed: {shown.text}"
        remedy = "If another text is meant, format the column as Text and type the value again."
        return shown.text, Finding.warning(ProblemCode.DATE, message, remedy)
    is_text = field is not None and field.type.is_text
    message = "the cell holds a date; how it is displayed depends on the computer" if is_text else ""
    return shown.plain, Finding.error(ProblemCode.DATE, message)


def _find_rounding(cell: SpecialCell, seen: str, *, can_choose: bool) -> Finding:
    message = f"the cell shows {seen} but holds {show_number(cell.number, 'General').plain}"
    remedy = "" if can_choose else "Type the value that should be sent."
    return Finding.error(ProblemCode.ROUNDED_DISPLAY, message, remedy)


def _find_unknown_format(cell: SpecialCell, text: str) -> Finding:
    message = f"the cell holds {text}, but its number format ({cell.format_code}) shows something else"
    return Finding.error(ProblemCode.NUMBER_FORMAT, message)


def _find_decoration(seen: str, plain: str) -> Finding:
    message = f"the cell shows {seen}; it is read as {plain}"
    return Finding.warning(ProblemCode.NUMBER_FORMAT, message, "Nothing to do if that is meant.")
