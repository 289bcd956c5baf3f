"""Find the range of a worksheet's filled cells in its XML, before calamine allocates all of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from openpyxl.utils.cell import column_index_from_string

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.xlsx_cells import Extent
from bulkupdate.spreadsheets.reading.xlsx_rows import END_OF_DATA, ROW, count_references, cut_at_rows

_FAR_COLUMN = re.compile(rb'<c r="([A-Z]{2,3})\d+"[^>/]*>')
_TEXT = re.compile(rb">([^<]+)<")
_AFTER_PREFIX = re.compile(rb":(?:row|c|v|is)[\s/>]")


def measure_extent(blocks: Iterable[bytes]) -> Extent:
    """Return the range of the filled cells of a sheet in the usual notation, given block by block.

    Raises `InputFileError` if a row is far too large, or has a prefix though the first rows have none: cells that are
    not seen could hold any amount of text.
    """
    extent, rest = Extent(), b""
    for rows, following in cut_at_rows(blocks):
        if _has_prefix(rows) or _has_prefix(following.partition(END_OF_DATA)[0]):
            raise InputFileError(
                "A sheet of the file is damaged: only some of its rows are written with a prefix.",
                remedy="Open it in Excel and save it again.",
            )
        extent.references += count_references(rows)
        _add_cells(extent, rows, b"</v>")
        has_inline = b"<is>" in rows
        if has_inline:
            _add_cells(extent, rows, b"</is>")
        if has_inline or b't="str"' in rows:
            extent.text_bytes += sum(map(len, _TEXT.findall(rows)))
        rest = following
    extent.references += count_references(rest)
    return extent


def _add_cells(extent: Extent, rows: bytes, end_of_value: bytes) -> None:
    """Count the filled cells, and extend the range to the first and the last. Columns up to Z need no search."""
    count = rows.count(end_of_value)
    if not count:
        return
    extent.filled += count
    far = max((column_index_from_string(name.decode()) - 1 for name in set(_FAR_COLUMN.findall(rows))), default=25)
    for position in (rows.find(end_of_value), rows.rfind(end_of_value)):
        row = ROW.match(rows, max(0, rows.rfind(b"<row", 0, position)))
        if row:
            extent.reach(int(row[1]), far)


def _has_prefix(xml: bytes) -> bool:
    """Return whether the name of an element of rows has a prefix. Colons are rare, but for the `spans` of a row."""
    return any(
        re.fullmatch(rb"<[^\s>]+", xml[max(0, xml.rfind(b"<", 0, found.start())) : found.start()])
        for found in _AFTER_PREFIX.finditer(xml)
    )
