"""Texts to numbers, digit by digit: Python's own conversions are too kind (`int('1_000')`, `int('١٦٣')`)."""

from __future__ import annotations

import re
from decimal import Decimal

from bulkupdate.customers.parse_result import Finding, ParsedValue, error_result, quote, warning

SCIENTIFIC = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+")


def read_customer_id(text: str) -> ParsedValue:
    """An id as the service gave it: a positive whole number; `163.0` is 163."""
    digits = re.fullmatch(r"(0*)([1-9][0-9]{0,17})(\.0+)?", text)
    if digits:
        return ParsedValue(digits[2], _find_zeros(digits, "Check that this is the id meant."))
    if SCIENTIFIC.fullmatch(text):
        return error_result(
            "scientific", f"{text} is an id that the spreadsheet has shortened; digits may be lost",
            "Format the column as text and type the id in full.",
        )  # fmt: skip
    return error_result(
        "customer-id", f"{quote(text)} is not a customer id", "Use the whole number Sellercloud gave it."
    )


def _find_zeros(digits: re.Match[str], remedy: str) -> tuple[Finding, ...]:
    """A warning where zeros stand before the number: they are not sent."""
    return (warning("leading-zeros", f"the zeros before {digits[2]} are left out", remedy),) if digits[1] else ()


def read_integer(text: str) -> ParsedValue:
    """A whole number of 0 or more."""
    digits = re.fullmatch(r"(0*)([0-9]{1,18})(\.0+)?", text)
    if digits:
        return ParsedValue(int(digits[2]), _find_zeros(digits, "Check that this is meant."))
    if re.fullmatch(r"[0-9]{1,3}([,.' \u00a0\u202f][0-9]{3})+", text):
        return error_result("thousands-separator", f"{quote(text)} has a thousands separator",
                       f"Write it without: {re.sub('[^0-9]', '', text)}.")  # fmt: skip
    if re.fullmatch("-[0-9.,]+", text):
        return error_result("negative", "a negative number cannot stand here", "Use a number of 0 or more.")
    return error_result("whole-number", f"{quote(text)} is not a whole number", "Use digits only.")


def read_decimal(text: str, mark: str) -> ParsedValue:
    """A decimal of 0 or more, exact and with the zeros it was typed with.

    `mark` is the point or the comma. Where it is the comma, a point is taken too unless it could stand between
    thousands: the numbers of a workbook come with a point whatever the language of Excel.
    """
    thousands = _THOUSANDS.fullmatch(text)
    for each in (mark, "."):
        number = _DECIMALS[each].fullmatch(text)
        if number and (number[1] or number[2]) and (each == mark or not thousands):
            whole = number[1].lstrip("0") or "0"
            return ParsedValue(Decimal(f"{whole}.{number[2]}" if number[2] else whole))
    return _refuse_decimal(text, mark, is_in_thousands=thousands is not None)


_DECIMALS = {mark: re.compile(rf"([0-9]{{0,15}})(?:{re.escape(mark)}([0-9]{{0,15}}))?") for mark in ".,"}
_THOUSANDS = re.compile(r"[0-9]{1,3}([,.' \u00a0\u202f][0-9]{3})+([.,][0-9]+)?")


def _refuse_decimal(text: str, mark: str, *, is_in_thousands: bool) -> ParsedValue:
    if re.fullmatch(r"-[0-9.,]+", text):
        return error_result("negative", "a negative number cannot stand here", "Use a number of 0 or more.")
    if re.fullmatch(r"[0-9.,\s]+%", text):
        return error_result("percent", f"{text} is a percentage, and it is not known whether {text[:-1].strip()} or a "
                      "hundredth of it is meant", "Write the plain number that is to be stored.")  # fmt: skip
    if is_in_thousands:
        return error_result("thousands-separator", f"{quote(text)} has a thousands separator",
                      f"Write it without, and decimals like 2{mark}50.")  # fmt: skip
    if re.fullmatch("[0-9]+,[0-9]+", text):
        return error_result(
            "decimal-mark", f"{text} has a decimal comma", "Write it with a point, or call with --decimal ,."
        )
    return error_result("decimal", f"{quote(text)} is not a decimal number", f"Write it like 2{mark}50.")
