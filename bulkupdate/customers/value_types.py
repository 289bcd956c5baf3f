"""The types of fields that hold numbers, yes or no, and ratings.

Texts are matched digit by digit, as Python's own conversions accept too much (`int('1_000')`, `int('١٦٣')`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from bulkupdate.customers.field_types import SCIENTIFIC, UNREADABLE, FieldType
from bulkupdate.customers.models import Finding
from bulkupdate.customers.parse_result import ParsedValue, Value, error_result, quote
from bulkupdate.customers.problem_codes import ProblemCode

RATINGS = ("NotRated", "Very_Disatisfied", "Disatisfied", "Neutral", "Satisfied", "Very_Satisfied")
"""The rating names in the vendor's spelling; a name's index is its code, 0 to 5 (`docs/api.md`, section Fields)."""


class CustomerIdType(FieldType):
    """An id as the service gave it: a positive whole number; `163.0` is 163. Its value is the digits as text."""

    label = "customer id"
    json_types = (int,)
    plain_pattern = "[1-9][0-9]{0,17}"

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:  # noqa: ARG002 - only decimals depend on it
        """Return the digits, with a warning for leading zeros."""
        digits = re.fullmatch(r"(0*)([1-9][0-9]{0,17})(\.0+)?", text)
        if digits:
            return ParsedValue(digits[2], _find_zeros(digits, "Check that this is the id meant."))
        if SCIENTIFIC.fullmatch(text):
            return error_result(
                ProblemCode.SCIENTIFIC, f"the spreadsheet has shortened the id to {text}; digits may be lost"
            )
        return error_result(ProblemCode.CUSTOMER_ID, f"{quote(text)} is not a customer id")


class IntegerType(FieldType):
    """A whole number of 0 or more."""

    label = "whole number"
    json_types = (int,)
    plain_pattern = "(0|[1-9][0-9]{0,17})"

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:  # noqa: ARG002 - only decimals depend on it
        """Return the number, with a warning for leading zeros."""
        digits = re.fullmatch(r"(0*)([0-9]{1,18})(\.0+)?", text)
        if digits:
            return ParsedValue(int(digits[2]), _find_zeros(digits, "Check that this is meant."))
        if re.fullmatch(r"[0-9]{1,3}([,.' \u00a0\u202f][0-9]{3})+", text):
            remedy = f"Write it without: {re.sub('[^0-9]', '', text)}."
            return error_result(ProblemCode.THOUSANDS_SEPARATOR, f"{quote(text)} has a thousands separator", remedy)
        if re.fullmatch("-[0-9.,]+", text):
            return _NEGATIVE
        return error_result(ProblemCode.WHOLE_NUMBER, f"{quote(text)} is not a whole number")


_NEGATIVE = error_result(ProblemCode.NEGATIVE)


def _find_zeros(digits: re.Match[str], remedy: str) -> tuple[Finding, ...]:
    """Return a warning for leading zeros, which are not sent."""
    message = f"the zeros before {digits[2]} are left out"
    return (Finding.warning(ProblemCode.LEADING_ZEROS, message, remedy),) if digits[1] else ()


_DECIMALS = {mark: re.compile(rf"([0-9]{{0,15}})(?:{re.escape(mark)}([0-9]{{0,15}}))?") for mark in ".,"}
_THOUSANDS = re.compile(r"[0-9]{1,3}([,.' \u00a0\u202f][0-9]{3})+([.,][0-9]+)?")


class DecimalType(FieldType):
    """A decimal of 0 or more, exact and with the zeros it was typed with."""

    label = "decimal"
    json_types = (int, Decimal)
    plain_pattern = r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?"

    def plain_pattern_for(self, decimal_mark: str) -> str:
        """Return the pattern of plain decimals with this mark."""
        return self.plain_pattern.replace("\\.", re.escape(decimal_mark))

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:
        """Return the number.

        If the mark is the comma, a point is accepted too unless it could separate thousands: the numbers of a workbook
        have a point whatever the language of Excel.
        """
        is_in_thousands = _THOUSANDS.fullmatch(text) is not None
        for mark in (decimal_mark, "."):
            number = _DECIMALS[mark].fullmatch(text)
            if number and (number[1] or number[2]) and (mark == decimal_mark or not is_in_thousands):
                whole = number[1].lstrip("0") or "0"
                return ParsedValue(Decimal(f"{whole}.{number[2]}" if number[2] else whole))
        return _refuse_decimal(text, decimal_mark, is_in_thousands=is_in_thousands)

    def to_json(self, value: Value, rating_format: str) -> Any:  # noqa: ARG002 - only ratings depend on it
        """Return the number without an exponent."""
        return Decimal(f"{value:f}") if isinstance(value, Decimal) else value

    def from_json(self, value: Any) -> Any:
        """Return the number; unlike a cell it may be negative."""
        if value is None:
            return None
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            return UNREADABLE
        return number if number.is_finite() else UNREADABLE

    def format(self, value: Value) -> str:
        """Return the number without an exponent."""
        return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _refuse_decimal(text: str, mark: str, *, is_in_thousands: bool) -> ParsedValue:
    if re.fullmatch(r"-[0-9.,]+", text):
        return _NEGATIVE
    if re.fullmatch(r"[0-9.,\s]+%", text):
        number = text[:-1].strip()
        message = f"{text} is a percentage; whether {number} or a hundredth of it is meant is not certain"
        return error_result(ProblemCode.PERCENT, message)
    if is_in_thousands:
        remedy = f"Write it without, and decimals like 2{mark}50."
        return error_result(ProblemCode.THOUSANDS_SEPARATOR, f"{quote(text)} has a thousands separator", remedy)
    if re.fullmatch("[0-9]+,[0-9]+", text):
        return error_result(ProblemCode.DECIMAL_MARK, f"{text} has a decimal comma")
    return error_result(ProblemCode.DECIMAL, f"{quote(text)} is not a decimal number", f"Write it like 2{mark}50.")


def _without_zero_fraction(text: str) -> str:
    """Return `1` for `1.0`, which is how some programs write a column of ones and zeros."""
    return re.sub(r"^([0-9])\.0+$", r"\1", text)


class BooleanType(FieldType):
    """Yes or no, in the words of several languages."""

    label = "yes or no"
    json_types = (bool,)
    plain_pattern = "(?i:true|false|yes|no)"
    choices = ("Yes", "No")

    _TRUE = frozenset(
        ["true", "yes", "y", "t", "1", "on", "wahr", "ja", "j", "vrai", "oui", "verdadero", "sí", "si", "vero"]
    )
    _FALSE = frozenset(["false", "no", "n", "f", "0", "off", "falsch", "nein", "faux", "non", "falso"])

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:  # noqa: ARG002 - only decimals depend on it
        """Return true or false."""
        folded = _without_zero_fraction(text).casefold()
        if folded in self._TRUE or folded in self._FALSE:
            return ParsedValue(folded in self._TRUE)
        return error_result(ProblemCode.YES_OR_NO, f"{quote(text)} is neither yes nor no")

    def format(self, value: Value) -> str:
        """Return `Yes` or `No`."""
        return "Yes" if value else "No"


class RatingType(FieldType):
    """A rating by name, in several spellings, or by code. Its value is the code."""

    label = "rating"
    json_types = (str, int)
    plain_pattern = "[0-5]"
    choices = ("Not rated", "Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied")

    _CODES: ClassVar[Mapping[str, int]] = {
        spelling: code
        for code, name in enumerate(RATINGS)
        for plain in [name.replace("_", "").lower()]
        for spelling in (str(code), plain, plain.replace("dis", "diss"))
    }
    _BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[\s_\-]+(?=[^\W\d_])")
    """What may separate the words of a rating. Before a digit a hyphen is a minus sign: -1 is not 1."""

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:  # noqa: ARG002 - only decimals depend on it
        """Return the code, 0 to 5."""
        code = self._CODES.get(self._BETWEEN_LETTERS.sub("", _without_zero_fraction(text)).casefold())
        if code is not None:
            return ParsedValue(code)
        remedy = f"Use one of: {', '.join(self.choices)}; or 0 to 5."
        return error_result(ProblemCode.RATING, f"{quote(text)} is not a rating", remedy)

    def to_json(self, value: Value, rating_format: str) -> Any:
        """Return the rating's name or its code."""
        return RATINGS[int(str(value))] if rating_format == "name" else value

    def format(self, value: Value) -> str:
        """Return the rating's name as users spell it."""
        return self.choices[int(str(value))]


CUSTOMER_NUMBER = CustomerIdType()
INTEGER = IntegerType()
DECIMAL = DecimalType()
BOOLEAN = BooleanType()
RATING = RatingType()
