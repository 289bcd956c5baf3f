"""One cell's text to one typed value, or to what is wrong with it. Pure functions; nothing is ever guessed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from bulkupdate.customers.fields import ALIAS_SEPARATORS, CLEAR, RATINGS, Field, Kind
from bulkupdate.customers.models import REFUSED_MARK, SHORTENED, Severity
from bulkupdate.customers.number_parsing import SCIENTIFIC, read_customer_id, read_decimal, read_integer
from bulkupdate.customers.parse_result import Finding, ParsedValue, error_result, quote, warning

_SPACES = " \t\n\v\f\r\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_BLANKS = _SPACES + "\x1c\x1d\x1e\x1f\x85\u200b\u2028\u2029\u2060\ufeff"
"""What a person does not see: blanks, and characters that are no blanks but show nothing either."""

_EXCEL_ERROR = re.compile(
    r"#(N/?A|NV|REF!?|VALUE!?|DIV/0!?|NAME\?|NULL!?|NUM!?|SPILL!?|CALC!?|FIELD!?|BLOCKED!?|GETTING_DATA|#+)", re.I
)
_TRUE = frozenset(
    ["true", "yes", "y", "t", "1", "on", "wahr", "ja", "j", "vrai", "oui", "verdadero", "sí", "si", "vero"]
)
_FALSE = frozenset(["false", "no", "n", "f", "0", "off", "falsch", "nein", "faux", "non", "falso"])
_RATING_CODES = {
    spelling: code
    for code, name in enumerate(RATINGS)
    for spelling in (
        str(code),
        re.sub("[_ ]", "", name).lower(),
        re.sub("[_ ]", "", name).lower().replace("dis", "diss"),
    )
}
_LONGEST_EXCEL_TEXT = 32_767

_ATOM = r"[^\s@,;:<>()\[\]\"\\.\x00-\x1f\u00ad\u200b-\u200f\u2060\ufeff]"
_ADDRESS = re.compile(rf"{_ATOM}+(\.{_ATOM}+)*@((?!-){_ATOM}+(?<!-)\.)+{_ATOM}{{2,}}")
_LONGEST_ADDRESS = 254


@lru_cache(maxsize=65_536)
def read_value(field: Field, text: str, decimal_mark: str = ".") -> ParsedValue:
    """A cell's text as the field's value; blank is no value. `decimal_mark` is the point or the comma of decimals."""
    seen = text.strip(_BLANKS)
    if not seen:
        return ParsedValue(findings=(_ONLY_BLANKS,) if text else ())
    trimmed = text.strip(_SPACES) if field.kind in (Kind.TEXT, Kind.ALIASES) else seen
    if found := REFUSED_MARK.search(seen):
        return error_result(
            "not-corrected", f"was refused before and is not corrected yet: {found[1]}",
            "Type the value to be sent in place of all that the cell holds.",
        )  # fmt: skip
    if _EXCEL_ERROR.fullmatch(seen):
        return ParsedValue(findings=(_error_cell(seen, field),))
    if seen.casefold() == CLEAR:
        return _read_clear(field)
    if field.is_clearable and CLEAR in seen.casefold():
        return _CLEAR_AND_MORE
    if field.kind is Kind.DECIMAL:
        return read_decimal(trimmed, decimal_mark)
    reading = _READERS[field.kind](trimmed)
    if reading.is_refused:
        return reading
    if field.is_clearable:
        return ParsedValue(reading.value, (*reading.findings, *_find_oddities(text, trimmed)))
    return reading if text.strip(_SPACES) == seen else ParsedValue(reading.value, (*reading.findings, _UNSEEN_AROUND))


_ONLY_BLANKS = Finding(
    "only-blanks", "the cell holds nothing but blanks", f"Taken as no change; to empty the field type {CLEAR}.",
    Severity.WARNING,
)  # fmt: skip


_UNSEEN_AROUND = warning(
    "unseen-character", "has an invisible character beside it", "It is left out; check that the value is right."
)


_CLEAR_AND_MORE = error_result(
    "clear-and-more", f"holds {CLEAR} beside other text", f"Type {CLEAR} alone to empty the field, or leave it out."
)


def _error_cell(text: str, field: Field) -> Finding:
    way_out = f"to empty the field type {CLEAR}" if field.is_clearable else "leave it blank for no change"
    return Finding(
        "error-cell", f"{text} is an error of the spreadsheet, not a value", f"Put the right value in; {way_out}."
    )


def _read_clear(field: Field) -> ParsedValue:
    if not field.is_clearable:
        return error_result(
            "clear-refused", f"{CLEAR} cannot empty this field: it holds a {field.kind.value}",
            "Leave the cell blank for no change, or type the new value.",
        )  # fmt: skip
    return ParsedValue(() if field.kind is Kind.ALIASES else "")


def _find_oddities(text: str, trimmed: str) -> tuple[Finding, ...]:
    """What a text holds that people do not see: it is sent as it stands, but they are told."""
    found = []
    if trimmed != text:
        found.append(warning("trimmed", "blanks around the text are left out", "Nothing to do if that is meant."))
    if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", trimmed):
        found.append(warning("control-character", "holds a control character that nobody sees",
                           "Sent as it stands; retype the text if it should not be there."))  # fmt: skip
    if re.search("[\u00a0\u00ad\u200b\u2028\u2029\u2060\ufeff]", trimmed):
        found.append(warning("unseen-character", "holds a special blank or an invisible character",
                           "Sent as it stands; retype the text if it should not be there."))  # fmt: skip
    if "\ufffd" in trimmed:
        found.append(warning("lost-character", "holds the sign for a character that was lost when the file was saved",
                           "Correct the text, and save the file as UTF-8."))  # fmt: skip
    if len(trimmed) > _LONGEST_EXCEL_TEXT:
        found.append(warning("long-text", f"has {len(trimmed):,} characters, more than an Excel cell can hold",
                           "Sent in full; shown shortened in the workbooks."))  # fmt: skip
    return tuple(found)


def _read_text(text: str) -> ParsedValue:
    if SHORTENED.search(text):
        return error_result("shortened", "was shortened to fit into a cell of an earlier result; its end is missing",
                       "Put in the whole text, from the original file.")  # fmt: skip
    if any("\ud800" <= character <= "\udfff" for character in text):
        return error_result("broken-character", "holds half a character, which cannot be sent", "Retype the text.")
    return ParsedValue(text)


def _read_phone(text: str) -> ParsedValue:
    if SCIENTIFIC.fullmatch(text):
        return error_result(
            "scientific", f"{text} is a number that the spreadsheet has shortened; digits may be lost",
            "Format the column as text and type the number in full.",
        )  # fmt: skip
    reading = _read_text(text)
    if reading.value is not None and not re.search(r"\d", text):
        return ParsedValue(text, (warning("phone", "has no digit in it", "Check that this is a phone number."),))
    return reading


def _read_email(text: str) -> ParsedValue:
    if _is_address(text):
        return ParsedValue(text)
    if text.count("@") > 1 and re.search("[;,\\s]", text):
        return error_result("email", "holds more than one e-mail address", "Keep one; the others belong in EmailCC.")
    return error_result("email", _describe_bad_address(text), "Write it as name@example.com.")


def _is_address(text: str) -> bool:
    return len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text) is not None


def _describe_bad_address(text: str) -> str:
    if "@" not in text:
        return "e-mail without @"
    if re.search(r"\s", text):
        return "e-mail with a blank in it"
    if text.count("@") > 1:
        return "e-mail with more than one @"
    if "." not in text.rpartition("@")[2]:
        return "e-mail whose part after the @ has no dot"
    return "not a plausible e-mail address"


def _read_emails(text: str) -> ParsedValue:
    addresses = [address.strip() for address in re.split("[;,]", text)]
    for address in filter(None, addresses):
        if not _is_address(address):
            return error_result("email", _describe_bad_address(address), f"Correct {address!r}; separate several by ;.")
    return (
        ParsedValue(text)
        if any(addresses)
        else error_result("email", "holds no address", "Write it as name@example.com.")
    )


def _without_zero_fraction(text: str) -> str:
    """`1.0` is how some programs write a column of ones and zeros."""
    return re.sub(r"^([0-9])\.0+$", r"\1", text)


def _read_boolean(text: str) -> ParsedValue:
    folded = _without_zero_fraction(text).casefold()
    if folded in _TRUE or folded in _FALSE:
        return ParsedValue(folded in _TRUE)
    return error_result("yes-or-no", f"{quote(text)} is neither yes nor no", "Write Yes or No.")


_BETWEEN_LETTERS = re.compile(r"(?<=[^\W\d_])[\s_\-]+(?=[^\W\d_])")
"""What may part the words of a rating. Beside a digit it is a sign: -1 is not 1."""


def _read_rating(text: str) -> ParsedValue:
    code = _RATING_CODES.get(_BETWEEN_LETTERS.sub("", _without_zero_fraction(text)).casefold())
    if code is not None:
        return ParsedValue(code)
    return error_result("rating", f"{quote(text)} is not a rating", f"Use one of: {', '.join(RATINGS)}; or 0 to 5.")


def _read_aliases(text: str) -> ParsedValue:
    names = tuple(name.strip() for name in re.split(f"[{''.join(ALIAS_SEPARATORS)}]", text) if name.strip())
    if not names:
        return error_result("aliases", "holds separators but no name", f"Write names, or {CLEAR} to empty the list.")
    whole = _read_text(text)
    return whole if whole.is_refused else ParsedValue(names)


_READERS: dict[Kind, Callable[[str], ParsedValue]] = {
    Kind.CUSTOMER_ID: read_customer_id,
    Kind.TEXT: _read_text,
    Kind.PHONE: _read_phone,
    Kind.EMAIL: _read_email,
    Kind.EMAILS: _read_emails,
    Kind.INTEGER: read_integer,
    Kind.BOOLEAN: _read_boolean,
    Kind.RATING: _read_rating,
    Kind.ALIASES: _read_aliases,
}
