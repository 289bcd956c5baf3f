"""Decode escapes of URLs, quoted-printable, JSON, JavaScript and HTML, with the position of each character."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.entities import html5

_CODES = (
    r"(?P<bytes>(?:[%=][0-9A-Fa-f]{2})+)"
    r"|(?P<units>(?:[\\%]u[0-9A-Fa-f]{4})+)"
    r"|(?P<hex_bytes>(?:\\x[0-9A-Fa-f]{2})+)"
    r"|\\u\{(?P<point>[0-9A-Fa-f]{1,6})\}"
    r"|(?P<octal_bytes>(?:\\[0-3][0-7]{2})+)"
    r"|&\#(?P<decimal>[0-9]{1,7});?"
    r"|&\#[xX](?P<hexadecimal>[0-9A-Fa-f]{1,6});?"
    r"|&(?P<name>[A-Za-z][A-Za-z0-9]{1,31});"
)
_SIGN = r"|\\(?P<sign>[\"'\\/bfnrt])"
_NO_SIGN = r"|(?P<sign>(?!))"  # matches nothing
_ESCAPES = (re.compile(_CODES + _SIGN), re.compile(_CODES + _NO_SIGN))
"""A backslash before a sign may escape it, or be the last character of what was escaped: both are tried."""

_MOST_LAYERS = 8
"""How many texts of one layer are decoded further, as a hostile text could have any number."""

_SIGNS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded text, and for each of its characters the part of the original that it came from.

    `starts` and `ends` are positions in the original text; None: the text is the original.
    """

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Return the part of the original that the part from `start` to `end` came from. It must not be empty."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]

    def decode(self, escape: re.Pattern[str]) -> Decoded | None:
        """Return the text with each of its escapes decoded once; None if it has none."""
        texts: list[str] = []
        starts: list[int] = []
        ends: list[int] = []
        done = 0
        for start, end, character in _read_escapes(self.text, escape):
            self._copy(done, start, texts, starts, ends)
            first, last = self.locate(start, end)
            texts.append(character)
            starts.append(first)
            ends.append(last)
            done = end
        if not done:
            return None
        self._copy(done, len(self.text), texts, starts, ends)
        return Decoded("".join(texts), starts, ends)

    def _copy(self, start: int, end: int, texts: list[str], starts: list[int], ends: list[int]) -> None:
        texts.append(self.text[start:end])
        starts += range(start, end) if self.starts is None else self.starts[start:end]
        ends += range(start + 1, end + 1) if self.ends is None else self.ends[start:end]


def decode_fully(text: str, most: int) -> Iterator[Decoded]:
    """Yield the text as it is, then decoded once, twice and so on, until nothing is left to decode or `most` times.

    Where there are two ways to decode a text, both are yielded.
    """
    layers, seen = [Decoded(text)], {text}
    for _ in range(most + 1):
        yield from layers
        decoded = (layer.decode(escape) for layer in layers[:_MOST_LAYERS] for escape in _ESCAPES)
        new = {layer.text: layer for layer in decoded if layer is not None and layer.text not in seen}
        layers = list(new.values())
        seen.update(new)


def _read_escapes(text: str, escape: re.Pattern[str]) -> Iterator[tuple[int, int, str]]:
    """Yield each escaped character: where its escape begins and ends, and the character it stands for."""
    for match in escape.finditer(text):
        start, end = match.span()
        if match["bytes"]:
            yield from _read_bytes(start, bytes.fromhex(re.sub("[%=]", "", match["bytes"])), 3)
        elif match["hex_bytes"]:
            yield from _read_bytes(start, bytes.fromhex(match["hex_bytes"].replace("\\x", "")), 4)
        elif match["octal_bytes"]:
            yield from _read_bytes(start, bytes(int(digits, 8) for digits in match["octal_bytes"][1:].split("\\")), 4)
        elif match["units"]:
            yield from _read_units(start, match["units"])
        elif (character := _read_one(match)) is not None:
            yield start, end, character


def _read_bytes(start: int, data: bytes, width: int) -> Iterator[tuple[int, int, str]]:
    """Decode bytes written with `width` characters each: UTF-8, or Latin-1 if they are not UTF-8."""
    for character in data.decode("utf-8", "surrogateescape"):
        end = start + width * len(character.encode("utf-8", "surrogateescape"))
        yield start, end, chr(ord(character) - 0xDC00) if "\udc80" <= character <= "\udcff" else character
        start = end


def _read_units(start: int, text: str) -> Iterator[tuple[int, int, str]]:
    r"""Decode UTF-16 units written as \uXXXX or %uXXXX."""
    units = b"".join(bytes.fromhex(text[at + 2 : at + 6]) for at in range(0, len(text), 6))
    for character in units.decode("utf-16-be", "surrogatepass"):
        end = start + (12 if ord(character) > 0xFFFF else 6)
        yield start, end, character
        start = end


def _read_one(match: re.Match[str]) -> str | None:
    """Return the character of any other escape; None if it is not a valid escape."""
    if match["sign"]:
        return _SIGNS.get(match["sign"], match["sign"])
    if match["name"]:
        named = html5.get(f"{match['name']};", "")
        return named if len(named) == 1 else None
    code = int(match["decimal"] or int(match["hexadecimal"] or match["point"], 16))
    return chr(code) if code <= 0x10FFFF else None
