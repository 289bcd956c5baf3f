"""Detect the encoding of a text file; refuse a file if it is not certain."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from bulkupdate.errors import InputFileError, UsageError

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
SAMPLE_BYTES = 4096
BLOCK_BYTES = 1 << 20
SAMPLES = 3
LIKELY_ENCODINGS = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "mac-roman", "cp850", "shift_jis", "gb18030")
"""The encodings offered to the user if it is not certain; Western European Excel writes the first."""

_NO_TEXT = frozenset({"undefined", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "mbcs", "oem", "utf-7"})
"""Encodings that no sheet has, or that decode to halves of surrogate pairs."""

_NAME_IT = "Save it in Excel as 'CSV UTF-8' or as .xlsx, or name its encoding, for example --encoding {}."


@dataclass(frozen=True)
class TextEncoding:
    """An encoding: its name in Python, and its name for users. `samples` are texts as read, if it was guessed."""

    codec: str
    name: str
    samples: tuple[str, ...] = ()


def require_encoding(name: str) -> str:
    """Return the name in Python of an encoding that a user named. Raises `UsageError` if it is not a text encoding."""
    try:
        info = codecs.lookup(name)
        is_text = info._is_text_encoding and info.name not in _NO_TEXT
    except (LookupError, ValueError):
        is_text = False
    if is_text:
        return info.name
    nearest = get_close_matches(name.lower(), [*LIKELY_ENCODINGS, "utf-8", "utf-16"], n=1, cutoff=0.5)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    raise UsageError(
        f"{name!r} is not a text encoding.{hint}", remedy=f"Use a name such as {', '.join(LIKELY_ENCODINGS)} or utf-8."
    )


def detect_encoding(path: Path, named: str | None = None) -> TextEncoding:
    """Return the encoding of a text file; `named` is the one that the user named, None to detect it.

    A byte order mark decides, then the name, then zero bytes in every second place (UTF-16 without a mark), then
    whether all of the file is UTF-8. Otherwise it counts as Windows-1252 if the result is plausible Western European
    text. Raises `InputFileError` if the bytes fit none of these, clearly contradict the name, or hold NUL characters,
    and `UsageError` for an unknown name.
    """
    chosen = TextEncoding(require_encoding(named), named) if named else None
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    mark = _find_mark(sample)
    if chosen and not mark:
        _refuse_utf8_as_single_bytes(path, chosen)
    certain = mark or chosen or _find_utf16(sample)
    if certain:
        _require_decodable(path, certain)
    encoding = certain or _find_encoding(path)
    _refuse_nul(path, encoding.codec)
    return encoding


def sample_texts(path: Path, codec: str) -> tuple[str, ...]:
    """Return the first few cells with a character outside ASCII, as this encoding reads them; none if it cannot."""
    found: dict[str, None] = {}
    try:
        with path.open(encoding=codec, newline="") as file:
            for line in file:
                cells = re.split(r"[,;\t|]", line.rstrip("\r\n"))
                found.update(dict.fromkeys(cell.strip('" ')[:60] for cell in cells if not cell.isascii()))
                if len(found) >= SAMPLES:
                    break
    except (UnicodeDecodeError, LookupError):
        return ()
    return tuple(found)[:SAMPLES]


def _find_mark(sample: bytes) -> TextEncoding | None:
    return next((TextEncoding(codec, name) for mark, codec, name in MARKS if sample.startswith(mark)), None)


def _find_encoding(path: Path) -> TextEncoding:
    if _find_error(path, "utf-8") is None:
        return TextEncoding("utf-8", "UTF-8")
    _refuse_damaged_utf8(path)
    return _guess_western(path)


def _refuse_utf8_as_single_bytes(path: Path, encoding: TextEncoding) -> None:
    """Refuse UTF-8 if a single-byte encoding was named, which would read each letter as several wrong ones."""
    is_single_byte = "\ufffd" not in b"\xe9".decode(encoding.codec, "replace")
    if is_single_byte and _find_error(path, "ascii") is not None and _find_error(path, "utf-8") is None:
        garbled = next(iter(sample_texts(path, encoding.codec)), "")
        shown = f": as {encoding.name} it would hold texts such as “{garbled}”" if garbled else ""
        raise InputFileError(f"{path.name} is UTF-8, not {encoding.name}{shown}.", remedy="Omit --encoding.")


def _guess_western(path: Path) -> TextEncoding:
    # its patterns take 30 ms to compile, and a Unicode file does not need them
    from bulkupdate.spreadsheets.reading.western_text import find_implausible

    undecodable = _find_error(path, "cp1252") is not None
    implausible = "" if undecodable else next(filter(None, map(find_implausible, _decode_blocks(path, "cp1252"))), "")
    if undecodable or implausible:
        shown = f", and as Windows-1252 it would hold texts such as “{implausible[:40]}”" if implausible else ""
        known = " If that text is right, use --encoding cp1252." if implausible else ""
        raise InputFileError(
            f"The encoding of {path.name} is not known: it is neither UTF-8 nor UTF-16{shown}.",
            remedy=_NAME_IT.format("cp1250 (Central Europe) or cp1251 (Cyrillic)") + known,
        )
    return TextEncoding("cp1252", "Windows-1252", sample_texts(path, "cp1252"))


def _require_decodable(path: Path, encoding: TextEncoding) -> None:
    position = _find_error(path, encoding.codec)
    if position is not None:
        raise InputFileError(
            f"{path.name} is not {encoding.name}: {_describe_position(path, position)} cannot be read as that.",
            remedy=_NAME_IT.format("cp1252"),
        )


def _refuse_damaged_utf8(path: Path) -> None:
    """Refuse a file that is UTF-8 except for a few bytes: in another encoding all its other texts would be garbled."""
    good = bad = 0
    for text in _decode_blocks(path, "utf-8", "surrogateescape"):
        escaped = len(re.findall("[\udc80-\udcff]", text))
        bad += escaped
        good += len(re.findall(r"[^\x00-\x7f]", text)) - escaped
    position = _find_error(path, "utf-8")
    if good >= bad and position is not None:
        raise InputFileError(
            f"{path.name} is UTF-8 with damaged characters: {_describe_position(path, position)} is not UTF-8.",
            remedy="Correct that text and save the file as 'CSV UTF-8', or name the encoding with --encoding.",
        )


def _refuse_nul(path: Path, codec: str) -> None:
    line = 1
    for text in _decode_blocks(path, codec):
        if "\x00" in text:
            line += text[: text.index("\x00")].count("\n")
            raise InputFileError(
                f"{path.name} has a NUL character in line {line}, so it is damaged.",
                remedy="Export the file again, or open it in Excel and save it as .xlsx.",
            )
        line += text.count("\n")


def _find_utf16(sample: bytes) -> TextEncoding | None:
    pairs = len(sample) // 2
    if not pairs:
        return None
    first, second = sample[0::2].count(0) / pairs, sample[1::2].count(0) / pairs
    if second > 0.4 and first < 0.1:
        return TextEncoding("utf-16-le", "UTF-16")
    return TextEncoding("utf-16-be", "UTF-16") if first > 0.4 and second < 0.1 else None


def _decode_blocks(path: Path, codec: str, errors: str = "strict") -> Iterator[str]:
    """Yield the text in blocks that end with a line, so that no word is cut."""
    decoder = codecs.getincrementaldecoder(codec)(errors)
    rest = ""
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            whole, newline, rest = (rest + decoder.decode(block)).rpartition("\n")
            yield whole + newline
    yield rest + decoder.decode(b"", final=True)


def _find_error(path: Path, codec: str) -> int | None:
    """Return the offset of the first bytes that cannot be decoded; None if all can."""
    decoder = codecs.getincrementaldecoder(codec)()
    offset = 0
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                waiting = len(decoder.getstate()[0])
                offset -= waiting
                decoder.decode(block)
                offset += waiting + len(block)
        offset -= len(decoder.getstate()[0])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return offset + error.start
    except UnicodeError:  # UTF-16 and UTF-32 without a usable start
        return offset
    return None


def _describe_position(path: Path, offset: int) -> str:
    with path.open("rb") as file:
        before = file.read(offset)
        bad = file.read(1)
    line_start = before.rpartition(b"\n")[2]
    column = len(line_start.decode("utf-8", "replace")) + 1
    return f"byte 0x{bad.hex().upper() or '00'} in line {before.count(bytes([10])) + 1}, character {column},"
