"""Cut a worksheet's XML into chunks of whole rows, to search them for tokens instead of parsing them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bulkupdate.errors import InputFileError

MAX_ROW_BYTES = 32 << 20

ROW = re.compile(rb'<row(?: [^>]*)? r="(\d{1,7})"')

_END_OF_DATA = b"</sheetData>"
_END = b"</row>"


def cut_at_rows(blocks: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield for each block the XML up to the last row that ends in it, and the rest, which begins the next chunk.

    The rest of the last block is all that follows the last row. Raises `InputFileError` if a row is far too large.
    """
    rest, is_tail = b"", False
    for block in blocks:
        chunk = rest + block
        found = -1 if is_tail else chunk.rfind(_END)
        end = 0 if found < 0 else found + len(_END)
        rows, rest = chunk[:end], chunk[end:]
        if len(rest) > MAX_ROW_BYTES:
            raise InputFileError(
                "A row of the sheet is far larger than any spreadsheet allows.",
                remedy="Open the file in Excel and save it again.",
            )
        is_tail = is_tail or _END_OF_DATA in rest
        yield rows, rest
