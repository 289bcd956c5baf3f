"""Keep secrets out of our own objects, and out of texts from outside, such as a service's error messages.

A secret is searched for in the text itself, in the text with its escapes decoded (`escapes.py`), repeatedly, and in the
parts that are base64 (also URL-safe or unaligned) or hexadecimal; in UTF-8, UTF-16 or Latin-1, also if one was decoded
as another; upper and lower case are the same. Not searched for: base32, Ascii85, UTF-7, CSS escapes, lists of byte
values, and reversed or spaced-out secrets, as no service is known to answer with them.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterator

from bulkupdate.escapes import decode_fully

SHORTEST = 4
"""Shorter texts are not removed: they occur in too many words by chance."""

_DECODINGS = 8
"""How many nested levels of escapes are decoded."""

_PACKINGS = 3
"""How many nested levels of base64 or hexadecimal are decoded."""

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{6,}(?:\r?\n[A-Za-z0-9+/_-]+)*={0,2}")
_DIGITS = re.compile(r"[0-9A-Fa-f]{2}(?:[ :-]?[0-9A-Fa-f]{2}){3,}")

_BLANKS = {ord(blank): " " for blank in "+\t\n\r\v\f\u00a0"}
"""A space may come back as a plus sign, as in URLs, or as other white space."""

Span = tuple[int, int]


class Secret:
    """A text that only `reveal()` shows, never a `repr`."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself; for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('…')"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Redactor:
    """Removes the password and every token of one client from texts, in any usual encoding. Thread-safe."""

    def __init__(self) -> None:
        self._secrets: tuple[str, ...] = ()
        self._shortest = 0
        self._pattern = re.compile("(?!)")  # matches nothing

    def learn(self, secret: str) -> None:
        """Redact this text from now on."""
        if len(secret) < SHORTEST or secret in self._secrets:
            return
        self._secrets = (*self._secrets, secret)
        self._shortest = min(map(len, self._secrets))
        forms = {form for known in self._secrets for form in _forms_of(known)}
        alternatives = map(re.escape, sorted(forms, key=len, reverse=True))
        self._pattern = re.compile("|".join(alternatives), re.IGNORECASE)

    def redact(self, text: str) -> str:
        """Return the text with every secret replaced by `[secret]`, in any usual encoding."""
        if not self._secrets:
            return text
        parts: list[str] = []
        done = 0
        for start, end in _join(self._find(text, _PACKINGS)):
            parts += (text[done:start], "[secret]")
            done = end
        return "".join(parts) + text[done:]

    def __repr__(self) -> str:
        return "Redactor(…)"

    def _find(self, text: str, packings: int) -> Iterator[Span]:
        """Yield the parts of the text that hold a secret."""
        for layer in decode_fully(text, _DECODINGS):
            for match in self._pattern.finditer(layer.text.translate(_BLANKS)):
                start, end = layer.locate(*match.span())
                if end - start >= SHORTEST:
                    yield start, end
            for start, end in self._find_packed(layer.text, packings) if packings else ():
                yield layer.locate(start, end)

    def _find_packed(self, text: str, packings: int) -> Iterator[Span]:
        """Yield the parts in base64 or hexadecimal digits that hold a secret, each as a whole."""
        for pattern, unpack in ((_BASE64, _unpack_base64), (_DIGITS, _unpack_digits)):
            for match in pattern.finditer(text):
                is_long_enough = len(match[0]) * 3 // 4 >= self._shortest - 1
                if is_long_enough and any(self._holds_secret(data, packings - 1) for data in unpack(match[0])):
                    yield match.span()

    def _holds_secret(self, data: bytes, packings: int) -> bool:
        texts = {data.decode(encoding, "replace") for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be")}
        return any(next(self._find(text, packings), None) is not None for text in texts)


def _forms_of(secret: str) -> Iterator[str]:
    """Yield the forms to search for: the secret, and what it becomes in the wrong encoding.

    Spaces and escapes in it are converted as those of the searched text are.
    """
    texts = {
        secret,
        secret.encode("ascii", "replace").decode(),
        *(unicodedata.normalize(form, secret) for form in ("NFC", "NFD")),
    }
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        data = secret.encode(encoding, "replace")
        texts |= {data.decode("latin-1"), data.decode("cp1252", "replace")}
    for text in texts:
        if len(text.replace("?", "")) >= SHORTEST or text == secret:
            yield from (layer.text.translate(_BLANKS) for layer in decode_fully(text, _DECODINGS))


def _unpack_base64(text: str) -> Iterator[bytes]:
    """Yield what base64 may hold, decoded from each of its first four characters, as other letters may precede it."""
    digits = re.sub(r"[\r\n=]", "", text).replace("-", "+").replace("_", "/")
    for start in range(4):
        part = digits[start:]
        whole = part[: len(part) - (len(part) % 4 == 1)]
        if whole:
            yield binascii.a2b_base64(whole + "=" * (-len(whole) % 4))


def _unpack_digits(text: str) -> Iterator[bytes]:
    """Yield what hexadecimal digits may hold, decoded from each of the first two, as another digit may precede them."""
    digits = re.sub("[ :-]", "", text)
    for start in range(2):
        part = digits[start:]
        yield bytes.fromhex(part[: len(part) // 2 * 2])


def _join(spans: Iterator[Span]) -> list[Span]:
    """Return the parts in order, with those that touch or overlap merged."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
