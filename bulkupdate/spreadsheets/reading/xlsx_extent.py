"""Find the range of a worksheet's filled cells in its XML, before calamine allocates all of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
from openpyxl.utils.cell import column_index_from_string

from bulkupdate.spreadsheets.reading.xlsx_cells import Extent
from bulkupdate.spreadsheets.reading.xlsx_rows import END_OF_DATA, ROW, cut_at_rows

_FAR_COLUMN = re.compile(rb'<c r="([A-Z]{2,3})\d+"[^>/]*>')
_TEXT = re.compile(rb">([^<]+)<")
_TOP = re.compile(rb"<worksheet[ >]")

_UNUSUAL = "|".join(
    (
        r"<!",  # a comment or CDATA
        r"<[^\s<>/:]+:(?:row|c|v|is)[\s/>]",  # a prefix
        r"<(?:c|row)(?:[\t\r\n/>]| [^>]*[\t\r\n'])|<is[\s/]|</\w+\s",  # blanks, quotes, or no attribute
        r'=\s*"[^"<]*>',  # `>` in quotes
        r'<c (?:[^r]|r[^=]|r=[^"]|r="[^A-Z])|<row(?: (?:[a-qs-z][\w:]*|r\w+)="[^"]*")* ?>',  # no `r`, or not first
    )
)
_RARE = rf'{_UNUSUAL}|<is>|"str"|<c r="[A-Z]{{2}}'


def measure_extent(blocks: Iterable[bytes]) -> Extent | None:
    """Return the range of the filled cells of a sheet, given block by block.

    None if its notation is not that of Excel: it cannot be searched for tokens, and has to be parsed. Raises
    `InputFileError` if a row is far too large.
    """
    extent, rest, has_begun = Extent(), b"", False
    for rows, rest in cut_at_rows(blocks):
        if not has_begun and not _TOP.search((rows or rest)[:4096]):
            return None
        has_begun = True
        is_rare = _has(_RARE, rows)
        if is_rare and _has(_UNUSUAL, rows):
            return None
        extent.references += rows.count(b'"s"')
        far = _find_far_column(rows) if is_rare else 25
        _add_cells(extent, rows, b"</v>", far)
        if is_rare and (b"<is>" in rows or b'"str"' in rows):
            _add_cells(extent, rows, b"</is>", far)
            extent.text_bytes += sum(map(len, _TEXT.findall(rows)))
    return None if _has(rf"{_UNUSUAL}|<c ", rest.partition(END_OF_DATA)[0]) else extent


def _has(pattern: str, xml: bytes) -> bool:
    """Return whether XML matches: pyarrow searches for many alternatives as quickly as for one, and copies nothing."""
    offsets = pa.array([0, len(xml)], pa.int32()).buffers()[1]
    text = pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(xml)])
    found: bool = pc.match_substring_regex(text, pattern)[0].as_py()
    return found


def _find_far_column(rows: bytes) -> int:
    """Return the last column that has a cell, from 0; at least that of Z, up to which none is searched for."""
    return max((column_index_from_string(name.decode()) - 1 for name in set(_FAR_COLUMN.findall(rows))), default=25)


def _add_cells(extent: Extent, rows: bytes, end_of_value: bytes, far: int) -> None:
    """Count the filled cells, and extend the range to the rows of the first and the last, and to the column `far`."""
    count = rows.count(end_of_value)
    if not count:
        return
    extent.filled += count
    for position in (rows.find(end_of_value), rows.rfind(end_of_value)):
        row = ROW.match(rows, max(0, rows.rfind(b"<row", 0, position)))
        if row:
            extent.reach(int(row[1]), far)
