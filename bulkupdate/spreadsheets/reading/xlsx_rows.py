"""Cut a worksheet's XML into chunks of whole rows, to search them for tokens instead of parsing them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bulkupdate.errors import InputFileError

MAX_ROW_BYTES = 32 << 20

ROW = re.compile(rb'<row(?: [^>]*)? r="(\d{1,7})"')

END_OF_DATA = b"</sheetData>"

_END = b"</row>"
_SINGLE_QUOTED = re.compile(rb"'s'")  # a pattern is quicker than `count` where there are none


def is_plain(first: bytes) -> bool:
    """Return whether XML that begins like this can be searched for tokens.

    It is in the usual style: no prefixes, double quotes, every cell with its reference.
    """
    if not re.search(rb"<worksheet[ >]", first[:4096]) or b"<![CDATA[" in first or b"<!--" in first:
        return False
    return not re.search(rb"<c(?:>|/>| (?![^>]*\br=\")|[^>]*=')|<row(?:>|/>| (?![^>]*\br=\"))", first)


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
        is_tail = is_tail or END_OF_DATA in rest
        yield rows, rest


def count_references(xml: bytes) -> int:
    """Return how many cells may have a shared text, in whatever notation: the type `s` in any attribute counts."""
    return xml.count(b'"s"') + len(_SINGLE_QUOTED.findall(xml))
