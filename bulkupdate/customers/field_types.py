"""The types of fields that hold text, and what all types have in common.

A type is one class: it parses a cell, converts to and from JSON, and formats a value as a cell again. The other types
are in `value_types.py`. Nothing is ever guessed.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from bulkupdate.customers.models import SHORTENED, Finding
from bulkupdate.customers.parse_result import ParsedValue, Value, error_result, quote
from bulkupdate.customers.problem_codes import ProblemCode

UNREADABLE = object()
"""What `FieldType.from_json` returns for a JSON value that cannot be one of the type."""

SCIENTIFIC = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+")
"""A number as a spreadsheet shortens it."""

ALIAS_SEPARATORS = (";", "|")

_ODD = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{a0}\x{ad}\x{200b}\x{2028}\x{2029}\x{2060}\x{feff}\x{fffd}"
"""Characters that a user is warned of, in the syntax of RE2."""


class FieldType:
    """How the cells of a field are understood.

    `label` is its name for users. `plain_pattern` matches, in the syntax of Arrow's RE2, texts that need no parsing:
    whole columns are matched at once, and only other texts are parsed one by one. It never accepts what `parse`
    refuses, and `parse` returns such a text unchanged (a test checks both). `cleared` is the value that
    `<clear>` stands for, None if the type cannot be cleared. `keeps_invisible`: invisible characters around the text
    are part of it. `json_types` are the types of its JSON values. `choices` are what a drop-down offers, empty if any
    text may be typed.
    """

    label: ClassVar[str]
    plain_pattern: ClassVar[str]
    cleared: ClassVar[Value | None] = None
    is_text: ClassVar[bool] = False
    keeps_invisible: ClassVar[bool] = False
    json_types: ClassVar[tuple[type, ...]] = (str,)
    choices: ClassVar[tuple[str, ...]] = ()

    def plain_pattern_for(self, decimal_mark: str) -> str:  # noqa: ARG002 - only decimals depend on it
        """Return the pattern of plain texts for this decimal mark."""
        return self.plain_pattern

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:
        """Return the value of a text without blanks around it, or the error that keeps its row from being sent."""
        raise NotImplementedError

    def to_json(self, value: Value, rating_format: str) -> Any:  # noqa: ARG002 - only ratings depend on it
        """Return the value as the update takes it. `rating_format` is `name` or `code`."""
        return value

    def from_json(self, value: Any) -> Any:
        """Return what a JSON value means in this field, tolerantly.

        None if the field is empty, `UNREADABLE` if it cannot be a value of this type.
        """
        if value is None:
            return None
        parsed = self.parse(str(value).strip(), ".").value
        return UNREADABLE if parsed is None else parsed

    def accepts_json(self, value: object) -> bool:
        """Return whether a JSON value has the form in which the service takes this type."""
        is_type = isinstance(value, self.json_types)
        return is_type and (bool in self.json_types or not isinstance(value, bool))

    def format(self, value: Value) -> str:
        """Return the cell that a user would type to get the value."""
        return str(value)


class TextType(FieldType):
    """Any text, sent as it is seen."""

    label = "text"
    plain_pattern = rf"[^\s\pZ#<{_ODD}]([^<{_ODD}]*[^\s\pZ<\]{_ODD}])?"
    cleared = ""
    is_text = True
    keeps_invisible = True

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:  # noqa: ARG002 - only decimals depend on it
        """Return the text. Refuse texts that an earlier workbook shortened, and halves of characters."""
        if SHORTENED.search(text):
            return error_result(ProblemCode.SHORTENED)
        if any("\ud800" <= character <= "\udfff" for character in text):
            return error_result(ProblemCode.BROKEN_CHARACTER)
        return ParsedValue(text)

    def from_json(self, value: Any) -> str:
        """Return the text; an empty one for null."""
        return "" if value is None else str(value)


class PhoneType(TextType):
    """A phone number, kept as typed: zeros, plus sign and blanks."""

    label = "phone"
    plain_pattern = r"([0-9]|[+(][0-9 ()/\-]*[0-9])([0-9 ()/\-]*[0-9])?"
    keeps_invisible = False

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:
        """Return the text. Refuse a number that a spreadsheet has shortened; warn if there is no digit."""
        if SCIENTIFIC.fullmatch(text):
            return error_result(
                ProblemCode.SCIENTIFIC, f"the spreadsheet has shortened the number to {text}; digits may be lost"
            )
        parsed = super().parse(text, decimal_mark)
        if parsed.value is not None and not re.search(r"\d", text):
            return ParsedValue(text, (Finding.warning(ProblemCode.PHONE),))
        return parsed


_ATOM = r"[^\s@,;:<>()\[\]\"\\.\x00-\x1f\u00ad\u200b-\u200f\u2060\ufeff]"
_ADDRESS = re.compile(rf"{_ATOM}+(\.{_ATOM}+)*@((?!-){_ATOM}+(?<!-)\.)+{_ATOM}{{2,}}")
_LONGEST_ADDRESS = 254


class EmailType(TextType):
    """One e-mail address."""

    label = "e-mail"
    plain_pattern = (  # at most 196 characters, as the longest address has 254
        r"[A-Za-z0-9_+%\-]{1,20}(\.[A-Za-z0-9_+%\-]{1,20}){0,3}"
        r"@([A-Za-z0-9]([A-Za-z0-9\-]{0,20}[A-Za-z0-9])?\.){1,4}[A-Za-z]{2,20}"
    )
    keeps_invisible = False

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:  # noqa: ARG002 - only decimals depend on it
        """Return the address."""
        if _is_address(text):
            return ParsedValue(text)
        if text.count("@") > 1 and re.search("[;,\\s]", text):
            message = f"{quote(text)} is more than one e-mail address"
            return error_result(ProblemCode.EMAIL, message, "Keep one; put the others in EmailCC.")
        return error_result(ProblemCode.EMAIL, _describe_bad_address(text))


class EmailsType(EmailType):
    """Several e-mail addresses, separated by semicolons or commas, sent as typed."""

    label = "e-mails"

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:  # noqa: ARG002 - only decimals depend on it
        """Return the text if each part of it is an address."""
        addresses = [address.strip() for address in re.split("[;,]", text) if address.strip()]
        for address in addresses:
            if not _is_address(address):
                remedy = f"Correct {quote(address)}; separate several addresses with a semicolon."
                return error_result(ProblemCode.EMAIL, _describe_bad_address(address), remedy)
        if not addresses:
            return error_result(ProblemCode.EMAIL, f"{quote(text)} holds no address")
        return ParsedValue(text)


def _is_address(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _describe_bad_address(text: str) -> str:
    if "@" not in text:
        return f"{quote(text)} is not an e-mail address: it has no @"
    if re.search(r"\s", text):
        return f"{quote(text)} is not an e-mail address: it contains a space"
    if text.count("@") > 1:
        return f"{quote(text)} is not an e-mail address: it has more than one @"
    if "." not in text.rpartition("@")[2]:
        return f"{quote(text)} is not an e-mail address: it has no dot after the @"
    if len(text) > _LONGEST_ADDRESS:
        return f"{quote(text)} is not an e-mail address: it has more than {_LONGEST_ADDRESS} characters"
    return f"{quote(text)} is not an e-mail address"


class AliasesType(FieldType):
    """A list of names, separated by semicolons or bars; replaced as a whole."""

    label = "list of text"
    plain_pattern = rf"[^\s\pZ#<;|{_ODD}]([^<;|{_ODD}]*[^\s\pZ<;|\]{_ODD}])?"
    cleared = ()
    keeps_invisible = True

    def parse(self, text: str, decimal_mark: str) -> ParsedValue:
        """Return the names as a tuple."""
        names = tuple(name.strip() for name in re.split(f"[{''.join(ALIAS_SEPARATORS)}]", text) if name.strip())
        if not names:
            return error_result(ProblemCode.ALIASES)
        whole = TEXT.parse(text, decimal_mark)
        return whole if whole.is_refused else ParsedValue(names)

    def from_json(self, value: Any) -> Any:
        """Return the names; no names for null, one for a single value."""
        if isinstance(value, list):
            return tuple(str(name) for name in value)
        return () if value is None else (str(value),)

    def accepts_json(self, value: object) -> bool:
        """Return whether the value is a list of texts."""
        return isinstance(value, list) and all(isinstance(name, str) for name in value)

    def format(self, value: Value) -> str:
        """Return the names separated by semicolons."""
        return "; ".join(value) if isinstance(value, tuple) else str(value)


TEXT = TextType()
PHONE = PhoneType()
EMAIL = EmailType()
EMAILS = EmailsType()
ALIASES = AliasesType()
