"""Read the cells of an OpenDocument sheet: the file holds each value and, beside it, the text that it shows.

Source: OpenDocument 1.3 part 3, 19.387 (office:value-type) and 9.1 (tables).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from bulkupdate.spreadsheets.reading.cell_checks import LOST_DIGITS_FROM, Special, SpecialCell
from bulkupdate.spreadsheets.reading.number_display import DisplayedNumber, format_general

_NUMBERS = frozenset({"float", "percentage", "currency"})
_ERROR = re.compile(r"#[A-Z/0!?]+|Err:\d+|#.*!")


def read_cell(row: int, column: int, attributes: Mapping[str, str], text: str) -> tuple[str, SpecialCell | None]:
    """Return the text of a cell, and the cell itself where it needs a look.

    `attributes` are those of the element, by their names with the usual prefixes; `text` is its paragraphs.
    """
    kind = attributes.get("office:value-type", "")
    formula = attributes.get("table:formula")
    if _is_error(attributes, formula, text):
        return text, SpecialCell(row, column, Special.ERROR, text or "#N/A")
    if formula is not None and not kind and not text:
        return "", SpecialCell(row, column, Special.UNCALCULATED, formula)
    if kind == "boolean":
        return ("TRUE" if attributes.get("office:boolean-value") == "true" else "FALSE"), None
    if kind in ("date", "time"):
        iso = attributes.get("office:date-value") or attributes.get("office:time-value") or text
        return text, SpecialCell(row, column, Special.NUMBER, shown=DisplayedNumber(text or None, iso, is_date=True))
    if kind in _NUMBERS:
        return _read_number(row, column, attributes.get("office:value", ""), text)
    return text or attributes.get("office:string-value", ""), None


def _is_error(attributes: Mapping[str, str], formula: str | None, text: str) -> bool:
    if attributes.get("calcext:value-type") == "error":
        return True
    return formula is not None and not attributes.get("office:string-value") and bool(_ERROR.fullmatch(text))


def _read_number(row: int, column: int, value: str, text: str) -> tuple[str, SpecialCell | None]:
    try:
        number = float(value)
    except ValueError:
        return text, None
    plain = format_general(number)
    if text in ("TRUE", "FALSE") or (text == plain and abs(number) < LOST_DIGITS_FROM):
        return text, None
    return text, SpecialCell(row, column, Special.NUMBER, number=number, shown=_to_shown(text, plain, number))


def _to_shown(text: str, plain: str, number: float) -> DisplayedNumber:
    """Compare digits, as the separators are those of the author's country."""
    if re.search(r"\dE[+-]?\d", text):
        return DisplayedNumber(text, plain, is_scientific=True)
    if "##" in text:
        return DisplayedNumber(None, plain)
    exact = format_general(number * 100) if "%" in text else plain
    shown_digits, digits = _digits(text), _digits(exact)
    is_rounded = shown_digits.rstrip("0") != digits.rstrip("0")
    if not is_rounded and _is_same(text, plain):
        return DisplayedNumber(text, text)
    return DisplayedNumber(text, plain, is_rounded=is_rounded)


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text).lstrip("0")


def _is_same(text: str, plain: str) -> bool:
    try:
        return bool(re.fullmatch(r"-?\d+(\.\d+)?", text)) and Decimal(text) == Decimal(plain)
    except InvalidOperation:
        return False
