"""Find the range of a worksheet's filled cells in its XML, before calamine allocates all of it.

XML that is written exactly as spreadsheet programs write it is searched for tokens. This has to be certain for all of
it: calamine reads much that is not even XML, and a cell that was not seen could be in the last row and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from openpyxl.utils.cell import column_index_from_string, get_column_letter

from bulkupdate.spreadsheets.reading.xlsx_cells import Extent
from bulkupdate.spreadsheets.reading.xlsx_rows import ROW, cut_at_rows
from bulkupdate.spreadsheets.reading.xml_pattern import matches

_FIRST_SEARCHED = 26
"""The first column, from 0, that is searched for: no sheet up to Z is too wide."""

_BLANKS = r"[ \t\r\n]*"
_ATTRIBUTES = r'(?: (?:[a-qs-zA-Z][\w:]*|r[\w:]+)="[^"<>]*")*'  # any but `r`
_FORMULA = rf"(?:{_BLANKS}<f{_ATTRIBUTES}(?:/>|>[^<]*</f>))?"
_VALUE = rf'(?:{_BLANKS}<v(?: xml:space="preserve")?(?:/>|>[^<]*</v>))?'
_INLINE = rf"(?:{_BLANKS}<is>(?:[^<]|</?[a-hj-z][^<>]*>|</?i(?:[ /][^<>]*)?>)*</is>)?"
_ROW_TAG = rf'{_BLANKS}<row{_ATTRIBUTES} r="[0-9]{{1,7}}"{_ATTRIBUTES} ?'

_TAG = r"""<[^<>"'!?]+(?:"[^<>"]*"[^<>"']*|'[^<>']*'[^<>"']*)*>"""
_HEAD = rf"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^<>]*>)?(?:[^<>]*{_TAG})*[^<>]*\z"
_END = rf"\A(?:{_ROW_TAG}/>)*{_BLANKS}</sheetData>"
_FILLED = re.compile(
    rb'<c[^<>]* r="([A-Z]+)([0-9]+)"(?:[^<>]*[^/<>])?>\s*(?:<f[^<>]*/>\s*|<f[^<>]*>[^<]*</f>\s*)?<(?:v|is)\b'
)
_TEXT = re.compile(rb">([^<]+)<")


def _make_pattern(attributes: str, content: str) -> str:
    """Return a pattern of rows whose cells have these attributes and this content."""
    cell = rf'{_BLANKS}<c{attributes} r="[A-Z]{{1,3}}[1-9][0-9]{{0,6}}"{attributes} ?(?:/>|>{content}{_BLANKS}</c>)'
    return rf"\A(?:{_ROW_TAG}(?:/>|>(?:{cell})*{_BLANKS}</row>))*\z"


_ROWS = _make_pattern(_ATTRIBUTES, _FORMULA + _VALUE + _INLINE)
_ROWS_WITHOUT_TEXTS = _make_pattern(r'(?: s="[0-9]+"| t="[a-z]")*', _FORMULA + _VALUE)


def measure_extent(blocks: Iterable[bytes]) -> Extent | None:
    """Return the range of the filled cells of a sheet, given block by block.

    None if it is not written as spreadsheet programs do: it has to be parsed. Raises `InputFileError` if a row is far
    too large.
    """
    extent, rest, has_begun = Extent(last_column=_FIRST_SEARCHED - 1), b"", False
    for rows, following in cut_at_rows(blocks):
        rest = following
        if rows and not has_begun:
            head, _, rows = rows.partition(b"<sheetData>")
            if b"sheetData" in head or not matches(_HEAD, head):
                return None
            has_begun = True
        if not matches(_ROWS_WITHOUT_TEXTS, rows):
            if not matches(_ROWS, rows):
                return None
            if b"<is>" in rows or b'"str"' in rows:
                extent.text_bytes += sum(map(len, _TEXT.findall(rows)))
        _add_cells(extent, rows)
    return extent if has_begun and matches(_END, rest) else None


def _add_cells(extent: Extent, rows: bytes) -> None:
    """Count the cells with content, and extend the range to them.

    Of rows in order, the last one with a value is found at once. Only if a cell is beyond the range then, perhaps a
    blank one, is each cell looked at.
    """
    extent.filled += rows.count(b"</c>")
    last_value = max(rows.rfind(b"<v"), rows.rfind(b"<is>"))
    row = ROW.match(rows, rows.rfind(b"<row", 0, last_value)) if last_value > 0 else None
    extent.reach(int(row[1]) if row else 0, 0)
    further_row = f"[A-Z]+{_make_greater(str(extent.last_row), '0', '9')}"
    further_column = f"{_make_greater(get_column_letter(extent.last_column + 1), 'A', 'Z')}[0-9]+"
    if matches(f'r="(?:{further_row}|{further_column})"', rows):
        for letters, number in _FILLED.findall(rows):
            extent.reach(int(number), column_index_from_string(letters.decode()) - 1)


def _make_greater(text: str, least: str, most: str) -> str:
    """Return a pattern of the numbers, or names of columns, after this one, written with `least` to `most`."""
    longer = f"[{least}-{most}]{{{len(text) + 1},}}"
    as_long = [
        f"{text[:place]}[{chr(ord(sign) + 1)}-{most}][{least}-{most}]{{{len(text) - place - 1}}}"
        for place, sign in enumerate(text)
        if sign != most
    ]
    return f"(?:{'|'.join([longer, *as_long])})"
