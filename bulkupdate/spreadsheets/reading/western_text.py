"""Tell Western European text from text of another code page that was decoded as Windows-1252.

Nearly any bytes decode as Windows-1252. Polish, Russian or Greek files, and those of old Macs and of DOS, then have
letters and signs where no Western European language has them. What looks wrong here is refused; what looks right may
still be wrong, so the user is shown samples.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W\d_]*(?:(?:[^\x00-\x7f]|['’´`-])[^\W\d_]*)+")
_BESIDE_LETTERS = frozenset("’‘´“”«»„‚…–—®™©ªº·¿¡°§€²")
"""Signs that may touch a letter: quotation marks, dashes, ordinals and the like. Any other sign must not."""

_SIGNS_TOGETHER = re.compile(r"[^\x00-\x7f\w“”«»‘’„‚–—…€¿¡´]{2}")
_OPENING, _CLOSING = frozenset("„‚¿¡§©"), frozenset("ªº°®™…²")
_NEVER = frozenset("ŸðÐþÞýÝ")
"""Letters that Western European names do not have, but that Turkish, Czech, Romanian and Mac files are misread as."""

_NORDIC = frozenset("æøÆØ")
_WITH_NORDIC = frozenset("åäöéüÅÄÖÉÜ") | _NORDIC
_LONGEST_RUN = 2
"""Non-ASCII letters beside each other, as in `größe`; more is another alphabet."""

_FOLLOWED_BY = {
    "ñ": "aeiouáéíóúy", "õ": "e", "ã": "oesEOS", "œ": "udits", "ì": "", "ù": "", "Ñ": "AEIOUÁÉÍÓÚYaeiouáéíóúy",
    "Õ": "E",
    "Œ": "udUDiI",
}  # fmt: skip
"""Letters that only stand before these letters; with an empty text, only at the end of a word."""

_NOT_LAST = frozenset("ñõœæ")


def find_implausible(text: str) -> str:
    """Return the first word that is not plausible Western European text; empty if every word is."""
    return next((word for word in dict.fromkeys(_WORD.findall(text)) if not _is_plausible(word)), "")


def _is_plausible(word: str) -> bool:
    letters = re.findall(r"[^\W\d_]+", word)
    return not _SIGNS_TOGETHER.search(word) and _has_plausible_signs(word) and all(map(_has_plausible_letters, letters))


def _has_plausible_signs(word: str) -> bool:
    for index, sign in enumerate(word):
        if sign.isascii() or (sign.isalpha() and sign not in "ªº"):
            continue
        before, after = word[:index][-1:].isalpha(), word[index + 1 :][:1].isalpha()
        if (before or after) and sign not in _BESIDE_LETTERS:
            return False
        if (before and sign in _OPENING) or (after and sign in _CLOSING) or (before and after and sign in "“”«»„‚"):
            return False
    return True


def _has_plausible_letters(letters: str) -> bool:
    if _NEVER.intersection(letters) or re.search(rf"[^\x00-\x7f]{{{_LONGEST_RUN + 1}}}", letters):
        return False
    if re.search(r"[^\W\d_]", letters) and any(
        not letter.isascii() and letter.isupper() and letters[:index][-1:].islower()
        for index, letter in enumerate(letters)
    ):
        return False
    if re.match(r"[A-Z][^\x00-\x7f][a-z]", letters) and letters[1].isupper():
        return False
    if _NORDIC.intersection(letters) and {letter for letter in letters if not letter.isascii()} - _WITH_NORDIC:
        return False
    following = [*letters[1:], ""]
    return all(_may_precede(letter, after, len(letters)) for letter, after in zip(letters, following, strict=True))


def _may_precede(letter: str, following: str, length: int) -> bool:
    if not following:
        return letter not in _NOT_LAST or length < 3
    return letter not in _FOLLOWED_BY or following in _FOLLOWED_BY[letter]
