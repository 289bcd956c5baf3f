"""Parse one cell: what holds for all types of fields, before and after the field's own type."""

from __future__ import annotations

import re
from functools import lru_cache

from bulkupdate.customers.fields import CLEAR, Field
from bulkupdate.customers.models import REFUSED_MARK
from bulkupdate.customers.parse_result import Finding, ParsedValue, error_result, warning

_SPACES = " \t\n\v\f\r\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_BLANKS = _SPACES + "\x1c\x1d\x1e\x1f\x85\u200b\u2028\u2029\u2060\ufeff"
"""What a user does not see: blanks, and other characters that show nothing."""

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
        return error_result(
            "not-corrected", f"was refused before and is not corrected yet: {mark[1]}",
            "Type the value to be sent in place of everything that the cell holds.",
        )  # fmt: skip
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


_ONLY_BLANKS = warning(
    "only-blanks", "the cell holds nothing but blanks", f"Taken as no change; to empty the field type {CLEAR}."
)
_UNSEEN_AROUND = warning(
    "unseen-character", "has an invisible character beside it", "It is left out; check that the value is right."
)
_DAMAGED = error_result(
    "control-character", "holds a NUL character, which no text has: the cell is damaged", "Type the text again."
)
_CLEAR_AND_MORE = error_result(
    "clear-and-more", f"holds {CLEAR} beside other text", f"Type {CLEAR} alone to empty the field, or leave it out."
)


def _refuse_error_cell(text: str, field: Field) -> ParsedValue:
    way_out = f"to empty the field type {CLEAR}" if field.is_clearable else "leave it blank for no change"
    message = f"{text} is an error of the spreadsheet, not a value"
    return error_result("error-cell", message, f"Put the right value in; {way_out}.")


def _parse_clear(field: Field) -> ParsedValue:
    if not field.is_clearable:
        message = f"{CLEAR} cannot empty this field: it holds a {field.type.label}"
        return error_result("clear-refused", message, "Leave the cell blank for no change, or type the new value.")
    return ParsedValue(field.type.cleared)


_CHECK_TEXT = "Sent as it is; retype the text if it should not be there."


def _find_oddities(text: str, trimmed: str) -> tuple[Finding, ...]:
    """Return warnings of what a text holds that users do not see: it is sent all the same."""
    found = []
    if trimmed != text:
        found.append(warning("trimmed", "blanks around the text are left out", "Nothing to do if that is meant."))
    if re.search("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", trimmed):
        found.append(warning("control-character", "holds an invisible control character", _CHECK_TEXT))
    if re.search("[\u00a0\u00ad\u200b\u2028\u2029\u2060\ufeff]", trimmed):
        found.append(warning("unseen-character", "holds a special blank or an invisible character", _CHECK_TEXT))
    if "\ufffd" in trimmed:
        found.append(warning("lost-character", "holds the sign for a character that was lost when the file was saved",
                             "Correct the text, and save the file as UTF-8."))  # fmt: skip
    if len(trimmed) > _LONGEST_EXCEL_TEXT:
        found.append(warning("long-text", f"has {len(trimmed):,} characters, more than an Excel cell can hold",
                             "Sent in full; shown shortened in the workbooks."))  # fmt: skip
    return tuple(found)
