"""Distinguish Western European text from text of another code page that was decoded as Windows-1252.

Nearly any bytes decode as Windows-1252; Polish, Russian or Macintosh bytes give the wrong letters. So each character
outside ASCII is checked with its neighbours: `£ódŸ`, `Èâàí` and `JŸrgen` occur in no language of Western Europe.
Wrongly refusing a text costs the user one option, wrongly accepting one sends wrong data, so anything doubtful is
refused. That includes Icelandic and Estonian, whose letters are also what Turkish and Hungarian letters are misread as.
"""

from __future__ import annotations

import re
from itertools import chain

_LOWER = "a-zàáâãäåæçèéêëìíîïñòóôõöøùúûüýÿßœšžðþ"
_CAPITALS = "ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŸŒŠŽÐÞ"
_UPPER = "A-Z" + _CAPITALS
_LETTER = _LOWER + _UPPER
_ACCENTED = "".join(letter for letter in _LETTER if ord(letter) > 127)
_VOWELS = "aeiouyAEIOUYáéíóúÁÉÍÓÚ"
_END = f"(?![{_LETTER}])"
_START = f"(?<![{_LETTER}])"
_ELIDED = rf"(?<=[cdjlmnstCDJLMNOT])(?<![{_LETTER}].)"
"""After a single letter that is elided before a vowel, as in `l’été`."""

_VOWEL_OR_CAPITAL = "[A-ZaeiouyhàâéèêëîïôœùûÀÂÉÈÊËÎÏÔŒÙÛ]"

_PAIRS = frozenset(
    f"{one}{other}"
    for one, others in {
        "ö": "ßö", "ü": "ßüíé", "ä": "ßä", "Ä": "äÄ", "Ö": "öÖ", "Ü": "üÜ", "é": "éñšž", "É": "ÉÑ", "í": "ñšž",
        "Í": "ñÑ", "á": "ñšž", "Á": "Ñ", "ó": "ñ", "Ó": "Ñ", "ú": "ñ", "Ú": "Ñ", "ç": "ãõâàéêóáú", "Ç": "ÃÕÂÉÊÓÁÚ",
        "ñ": "áéíóú", "Ñ": "ÁÉÍÓÚ",
    }.items()
    for other in others
)  # fmt: skip
"""Accented letters that occur side by side; other pairs occur only in misread words."""

_PAIR = re.compile(f"(?=([{_ACCENTED}]{{2}}))")

_LETTERS = (
    "[äöüéíóúâîôåûÄÖÜÁÉÍÓÚÂÎÔÅÛ]",
    f"(?<![aeo])á(?!{_END})|(?<![aeiou])á",
    f"(?<=[{_LETTER}])ß",
    "ë(?<=[aeiouAEIOU]ë)|Ë(?<=[AEIOU]Ë)|(?<=Bront)ë",
    "ï(?<=[aeouAEOU]ï)|Ï(?<=[AEOU]Ï)|ÿ(?<=[ae]ÿ)",
    "ç(?=[aouâáàãõóôúéê])|Ç(?=[aouAOUÂÁÀÃÕÓÔÚÉÊ])",
    "(?<![iI])ê(?![kwzbdg]|c[^h])|(?<=i)ê(?=n)|Ê(?=[tTmMrRlLsSnNcCpPvV])",
    "à(?![aeiou])|À(?![aeiou])",
    f"è(?![aeiouyknw])|(?<=[lrtxgmc])è(?=ne)|È(?:{_END}|(?=[A-Zvz]))",
    f"[ìù]{_END}|(?<![eE])ò{_END}|[ÌÒÙ]{_END}",
    "ñ(?=[aeiouáéíóú])|Ñ(?=[aeiouAEIOUÁÉÍÓÚ])",
    f"ã(?=[oe]|s?{_END})|Ã(?=[OE])|(?<=[A-Z])Ã(?=S?{_END})|õ(?=e)|Õ(?=E)",
    f"(?<![aeouyAEOUY])ø(?![iou])(?!e(?![nrs]?{_END}))|ø(?=y)|Ø(?![AEOUaeou])",
    f"(?<![aeiouy])æ(?![wæ])|æ(?=[a-z]{{2}})(?!w)|Æ(?![{_LETTER}]?w)",
    "œ(?=[uied])|Œ(?=[uiedUIED])",
    f"(?<=[{_VOWELS}])[šžŠŽ]|[šž](?=[{_VOWELS}])|{_START}[ŠŽ](?=[{_LETTER}])",
)
"""Where each accented letter occurs. Those of the first line are the same in the code pages of Central Europe, or their
neighbours do not show whether they are right."""

_SIGNS = (
    f"(?<![{_LETTER}\u00a1-\uffff])[£¥§©±×÷¼½¾](?![{_LETTER}\u00a1-\uffff])",
    f"{_START}[€°«»•·]{_END}",
    f"[£€](?=[0-9 ])|(?<=[0-9 ])[£¥€§°¢‰]{_END}|(?<=[nN])°{_END}|(?<=[0-9 ])°(?=[CF]{_END})|©(?=[0-9 ])",
    f"(?<=[0-9nNaAoOmM])[ºª]{_END}(?<![{_LETTER}]{{2}}[ºª])",
    f"(?<=m)[²³]{_END}(?<![{_LETTER}]{{3}}[²³])|(?<=[0-9])[±×÷]",
    f"{_START}µ(?=[mgslAFV]{_END})|(?<=[lL])·(?=[lL])|(?<=[A-Z])·(?=[A-Z])",
    f"(?<=[{_LETTER}0-9])[®™]{_END}|{_START}[®™]{_END}",
    f"(?<![{_LETTER}0-9])[¿¡](?=[{_LETTER}¿¡0-9])",
    f"(?<![{_LETTER}0-9])[„‚‹«»›](?=[{_LETTER}0-9])|(?<=[{_LETTER}0-9.,!?)])[«»‹›]{_END}",
    rf"(?<![{_LETTER}0-9])[“‘”](?=[{_LETTER}0-9¿¡„‚])|(?<=[^\s])[“‘”]{_END}",
    rf"(?<=[^\s])’{_END}|{_START}’(?=[stnk]{_END})",
    f"(?:{_ELIDED}|(?<=ll)|(?<=[QqnNsS][uUt]))[’´](?={_VOWEL_OR_CAPITAL})",
    f"(?<=[{_LETTER}])[’´](?=(?:[sStTdDmM]|ll|re|ve){_END}|[A-Z])",
    f"(?<=[{_LETTER}])–(?=[A-Z0-9])|(?<=[0-9])–(?=[0-9A-Z])|(?<![{_LETTER}])[–—]{_END}",
    f"…{_END}",
    f"(?<![{_LETTER}])\u00a0|\u00a0(?![{_LETTER} ])|\u00a0(?=[A-Z])|(?<=[{_LOWER}])\u00ad(?=[{_LOWER}])",
)
"""Where each sign occurs: currency beside digits, quotation marks at the ends of words, and so on."""

_PLAUSIBLE = re.compile("|".join((*_LETTERS, *_SIGNS)))
_STRANGE_CASE = re.compile(f"[{_LOWER}][{_CAPITALS}]|[{_UPPER}][{_CAPITALS}][{_LOWER}]|Ÿ(?=[a-z])|(?<![A-Z])Ÿ")
"""A capital within a word of small letters, or after its first capital."""

_WORD = re.compile(r"[^\s,;|\"]+|.")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_COMPANIONS = (("¿", "?"), ("¡", "!"), ("«", "»"), ("»", "«"), ("‹", "›"), ("›", "‹"))
_CLOSING = re.compile(f"(?<=[{_LETTER}0-9.,!?])([“‘]|(?<![sSxXzZ0-9])(?<!’[nN])’{_END})")
_OPENED_BY = {"“": "„", "‘": "‚", "’": "‘"}


def find_implausible(text: str) -> str:
    """Return the first word that is not plausible Western European text; empty if every word is."""
    for line in text.splitlines():
        if not line.isascii() and (at := _find_in_line(line)) is not None:
            return next(found[0] for found in _WORD.finditer(line) if found.end() > at)
    return ""


def _find_in_line(line: str) -> int | None:
    doubtful = (
        (found.start() for found in _NOT_ASCII.finditer(line) if not _PLAUSIBLE.match(line, found.start())),
        (found.start() for found in _STRANGE_CASE.finditer(line)),
        (found.start() for found in _PAIR.finditer(line) if found[1] not in _PAIRS),
        (line.index(one) for one, other in _COMPANIONS if one in line and other not in line),
        (found.start() for found in _CLOSING.finditer(line) if _OPENED_BY[found[1]] not in line),
    )
    return next(chain.from_iterable(doubtful), None)
