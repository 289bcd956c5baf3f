"""Escape texts for XLSX and CSV, so that they stay texts, and make hidden characters visible.

The XML of a workbook's cells is written here, as libraries were found to lose data: XlsxWriter 3.3.1 writes a
text that begins with `<r>` and ends with `</r>` as raw XML (the text is gone) and reads `_x0041_x0042_` back as
`_x0041B`; openpyxl 3.1.5 does not escape `_x0041_` at all, so Excel shows `A`.
"""

from __future__ import annotations

import re

from bulkupdate.text import replace_unwritable

CELL_UNITS = 32_767
"""UTF-16 units that an Excel cell holds."""

_XML_CARE = re.compile("[&<>\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_XML_SPECIAL = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff]")
_XML_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}(?:_|[\x00-\x08\x0b-\x1f\ufffe\uffff]))")
_RUN_BREAK = '_</t></r><r><t xml:space="preserve">'

_CSV_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


def shorten(text: str) -> str:
    """Return a text that fits into an Excel cell; a longer one is cut and ends with a note (`SHORTENED`)."""
    if _count_units(text) <= CELL_UNITS:
        return text
    mark = f"… [shortened: {len(text):,} characters]"
    room = CELL_UNITS - len(mark)
    kept = text[:room]
    while (excess := _count_units(kept) - room) > 0:
        kept = kept[: len(kept) - (excess + 1) // 2]
    return kept + mark


def _count_units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def format_inline_string(text: str) -> str:
    """Return the content of a cell's `<is>` element that every program reads as this text.

    A control character becomes Excel's own escape `_x0007_`, which calamine and LibreOffice decode and openpyxl shows.
    A text that merely looks like that escape is split into two runs, so that it is not decoded. Half of a
    surrogate pair, which no file can hold, becomes `�`; a text too long for a cell is shortened visibly.
    """
    if len(text) * 2 > CELL_UNITS:
        text = shorten(text)
    if text.isprintable() and "_x" not in text:  # nearly every text, and faster than a pattern
        for mark, entity in _XML_ENTITIES.items():
            if mark in text:
                text = text.replace(mark, entity)
        return f'<t xml:space="preserve">{text}</t>'
    if not _XML_CARE.search(text):
        return f'<t xml:space="preserve">{text}</t>'
    text = _SURROGATE.sub("�", text)
    runs = [_XML_SPECIAL.sub(_escape_for_xml, run) for run in _LOOKS_ESCAPED.split(text)]
    if len(runs) == 1:
        return f'<t xml:space="preserve">{runs[0]}</t>'
    return f'<r><t xml:space="preserve">{_RUN_BREAK.join(runs)}</t></r>'


def _escape_for_xml(found: re.Match[str]) -> str:
    character = found[0]
    return _XML_ENTITIES.get(character) or f"_x{ord(character):04X}_"


def neutralise_for_csv(text: str) -> str:
    """Return the text as a CSV cell that no spreadsheet program runs as a formula.

    Text that begins with `=`, `+`, `-`, `@`, a tab or a carriage return, perhaps after apostrophes, gets another
    apostrophe in front; reading removes one, so that the text comes back unchanged, except for what no text file can
    hold (`replace_unwritable`).
    """
    text = replace_unwritable(text)
    return f"'{text}" if _CSV_FORMULA.match(text) else text


def make_visible(text: str) -> str:
    """Return the text for display, with hidden characters shown: `␇` for a control character, `[U+202E]` for others."""
    return _UNSEEN.sub(_show, text)


def _show(found: re.Match[str]) -> str:
    code = ord(found[0])
    if 0xD800 <= code <= 0xDFFF:
        return "�"
    return chr(0x2400 + code) if code < 0x20 else f"[U+{code:04X}]"
