"""Parse one cell: what holds for all types of fields, before and after the field's own type."""

from __future__ import annotations

import re
from functools import lru_cache

from bulkupdate.customers.fields import CLEAR, Field
from bulkupdate.customers.models import REFUSED_MARK, Finding
from bulkupdate.customers.parse_result import ParsedValue, error_result
from bulkupdate.customers.problem_codes import ProblemCode

_SPACES = " \t\n\v\f\r\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_BLANKS = _SPACES + "\x1c\x1d\x1e\x1f\x85\u200b\u2028\u2029\u2060\ufeff"
"""Invisible characters."""

_EXCEL_ERROR = re.compile(
    r"#(N/?A|NV|REF!?|VALUE!?|DIV/0!?|NAME\?|NULL!?|NUM!?|SPILL!?|CALC!?|FIELD!?|BLOCKED!?|GETTING_DATA|#+)", re.I
)
_LONGEST_EXCEL_TEXT = 32_767


@lru_cache(maxsize=65_536)
def parse_cell(field: Field, text: str, decimal_mark: str = ".") -> ParsedValue:
    """Return a cell's value in the field; a blank cell has none. `decimal_mark` is the point or the comma."""
    seen = text.strip(_BLANKS)
    if not seen:
        return ParsedValue(findings=(_ONLY_BLANKS,) if text else ())
    if mark := REFUSED_MARK.search(seen):
        return error_result(ProblemCode.NOT_CORRECTED, f"{ProblemCode.NOT_CORRECTED.explanation}: {mark[1]}")
    if "\x00" in seen:
        return _DAMAGED
    if _EXCEL_ERROR.fullmatch(seen):
        return _refuse_error_cell(seen, field)
    if seen.casefold() == CLEAR:
        return _parse_clear(field)
    if field.is_clearable and CLEAR in seen.casefold():
        return _CLEAR_AND_MORE
    trimmed = text.strip(_SPACES) if field.type.keeps_invisible else seen
    parsed = field.type.parse(trimmed, decimal_mark)
    if parsed.is_refused:
        return parsed
    if field.is_clearable:
        return ParsedValue(parsed.value, (*parsed.findings, *_find_oddities(text, trimmed)))
    return parsed if text.strip(_SPACES) == seen else ParsedValue(parsed.value, (*parsed.findings, _UNSEEN_AROUND))


_ONLY_BLANKS = Finding.warning(ProblemCode.ONLY_BLANKS)
_UNSEEN_AROUND = Finding.warning(
    ProblemCode.UNSEEN_CHARACTER,
    "the value has an invisible character beside it",
    "It is left out; check that the value is right.",
)
_DAMAGED = error_result(
    ProblemCode.CONTROL_CHARACTER,
    "the cell holds a NUL character, so it is damaged",
    "Type the text again.",
)
_CLEAR_AND_MORE = error_result(ProblemCode.CLEAR_AND_MORE)


def _refuse_error_cell(text: str, field: Field) -> ParsedValue:
    alternative = f"to empty the field, type {CLEAR}" if field.is_clearable else "leave it blank for no change"
    message = f"{text} is an error of the spreadsheet, not a value"
    return error_result(ProblemCode.ERROR_CELL, message, f"Type the right value; {alternative}.")


def _parse_clear(field: Field) -> ParsedValue:
    if not field.is_clearable:
        message = f"{CLEAR} cannot empty this field: it holds a {field.type.label}"
        return error_result(ProblemCode.CLEAR_REFUSED, message)
    return ParsedValue(field.type.cleared)


def _find_oddities(text: str, trimmed: str) -> tuple[Finding, ...]:
    """Return warnings about invisible characters of a text, which is sent nevertheless."""
    found = []
    if trimmed != text:
        found.append(Finding.warning(ProblemCode.TRIMMED))
    if re.search("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", trimmed):
        message = "the text holds an invisible control character"
        found.append(Finding.warning(ProblemCode.CONTROL_CHARACTER, message, ProblemCode.UNSEEN_CHARACTER.remedy))
    if re.search("[\u00a0\u00ad\u200b\u2028\u2029\u2060\ufeff]", trimmed):
        found.append(Finding.warning(ProblemCode.UNSEEN_CHARACTER))
    if "\ufffd" in trimmed:
        found.append(Finding.warning(ProblemCode.LOST_CHARACTER))
    if len(trimmed) > _LONGEST_EXCEL_TEXT:
        message = f"the text has {len(trimmed):,} characters, more than an Excel cell can hold"
        found.append(Finding.warning(ProblemCode.LONG_TEXT, message))
    return tuple(found)
