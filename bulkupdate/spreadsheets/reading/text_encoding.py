"""How a text file is encoded: a mark at its start, the pattern of its zero bytes, or what it can be decoded by."""

from __future__ import annotations

import codecs
from pathlib import Path

from bulkupdate.errors import InputFileError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
SAMPLE_BYTES = 4096
BLOCK_BYTES = 1 << 20


def detect_encoding(path: Path) -> tuple[str, str]:
    """Python's name of the encoding, and its name for people.

    A byte order mark decides; then zero bytes in every second place (UTF-16 without a mark); then whether all of the
    file is UTF-8; else it is taken for Windows-1252. Raises `InputFileError` where the bytes fit none of these.
    """
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    for codec, name in _candidates(sample):
        if _decodes(path, codec):
            return codec, name
    raise InputFileError(
        f"The text in {path.name} is neither UTF-8, UTF-16 nor Windows-1252.",
        remedy="Open it in Excel and save it as 'CSV UTF-8' or as .xlsx.",
    )


def _candidates(sample: bytes) -> list[tuple[str, str]]:
    for mark, codec, name in MARKS:
        if sample.startswith(mark):
            return [(codec, name)]
    wide = _guess_utf16(sample)
    return [(wide, "UTF-16")] if wide else [("utf-8", "UTF-8"), ("cp1252", "Windows-1252")]


def _guess_utf16(sample: bytes) -> str | None:
    pairs = len(sample) // 2
    if not pairs:
        return None
    first, second = sample[0::2].count(0) / pairs, sample[1::2].count(0) / pairs
    if second > 0.4 and first < 0.1:
        return "utf-16-le"
    return "utf-16-be" if first > 0.4 and second < 0.1 else None


def _decodes(path: Path, codec: str) -> bool:
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
