"""Text for users and shells: misleading characters, long texts, counts, quoted arguments."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterable
from json.encoder import encode_basestring
from pathlib import Path

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def is_control(character: str) -> bool:
    """Return whether a character is invisible or affects others: control characters, line ends, direction marks."""
    return unicodedata.category(character) in _CONTROL_CATEGORIES


def replace_controls(text: str, replace: Callable[[str], str]) -> str:
    """Return the text with every control character (`is_control`) replaced by what `replace` makes of it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(replace(character) if is_control(character) else character for character in text)


def fold_name(username: str) -> str:
    """Return a user name as names are compared: NFKC, without case, outer blanks, controls and invisible characters."""
    return replace_controls(unicodedata.normalize("NFKC", username), lambda _: "").strip().casefold()


def fold_whitespace(text: str) -> str:
    """Return the text on one line, each run of white space and control characters as one space."""
    return " ".join(replace_controls(text, lambda _: " ").split())


def truncate(text: str, length: int) -> str:
    """Return the text, cut to `length` characters with an ellipsis as the last one if it is longer."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def replace_unwritable(text: str) -> str:
    """Return the text with `�` for what no text file can hold: NUL and halves of surrogate pairs."""
    return _UNWRITABLE.sub("\ufffd", text)


def is_utf8(text: str) -> bool:
    """Return whether a text from the system was UTF-8: other bytes arrive as halves of surrogate pairs."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def pluralize(count: int, noun: str) -> str:
    """Return the count with its noun: `1 row`, `2 rows`, `1,234 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


_PLAIN = re.compile(r"[\w./:+-]+")
_PLAIN_ON_WINDOWS = re.compile(r"[\w./:+\\-]+")
_SPECIAL_IN_DOUBLE_QUOTES = re.compile('["$`\\\\!%\u201c\u201d\u201e\x00-\x1f\x7f]')
_SPECIAL_ON_WINDOWS = re.compile(r'["$`“”„\x00-\x1f\x7f]|%.*%|\\$')
_POWERSHELL_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
_CONTROL = re.compile("[\x00-\x1f\x7f]")


def quote_argument(argument: str | Path, *, is_windows: bool = os.name == "nt") -> str:
    """Return a text or a file name as one argument of a command that can be pasted into a shell.

    Plain names stay as they are; double quotes are used if they mean the same in bash, zsh, PowerShell and cmd.exe.
    Text that is special in one of them even within double quotes gets the single quotes of PowerShell on Windows, of
    POSIX shells elsewhere. A path that begins with `-` is not taken for an option.
    """
    text = _name_argument(argument)
    plain, special = (_PLAIN_ON_WINDOWS, _SPECIAL_ON_WINDOWS) if is_windows else (_PLAIN, _SPECIAL_IN_DOUBLE_QUOTES)
    if plain.fullmatch(text):
        return text
    if not special.search(text):
        return f'"{text}"'
    if is_windows:
        return "'" + _POWERSHELL_QUOTES.sub(lambda found: found[0] * 2, text) + "'"
    return _escape_controls(text) if _CONTROL.search(text) else shlex.quote(text)


class SuggestedCommand(str):
    """A bulkupdate command to paste into a shell; `arguments` are its unquoted arguments, for programs."""

    __slots__ = ("arguments",)
    arguments: tuple[str, ...]

    def __new__(cls, *arguments: str | Path) -> SuggestedCommand:
        """Quote and join the arguments that follow the program's name."""
        command = super().__new__(cls, " ".join(["bulkupdate", *map(quote_argument, arguments)]))
        command.arguments = tuple(map(_name_argument, arguments))
        return command

    def add(self, *arguments: str | Path) -> SuggestedCommand:
        """Return the command with more arguments."""
        return SuggestedCommand(*self.arguments, *arguments)

    def set(self, name: str, value: str) -> SuggestedCommand:
        """Return the command with this value of an option, in place of the value that it has."""
        kept = list(self.arguments)
        if name in kept:
            at = kept.index(name)
            kept[at : at + 2] = []
        return SuggestedCommand(*kept, name, value)


def _name_argument(argument: str | Path) -> str:
    """Return an argument as text; a path that begins with `-` is not taken for an option."""
    return f"./{argument}" if isinstance(argument, Path) and str(argument).startswith("-") else str(argument)


def _escape_controls(text: str) -> str:
    """Quote a name with control characters so that neither a terminal nor a shell acts on them (bash, zsh)."""
    escaped = re.sub(r"['\\]", lambda found: f"\\{found[0]}", text)
    return "$'" + _CONTROL.sub(lambda found: f"\\{ord(found[0]):03o}", escaped) + "'"


def encode_texts(texts: Iterable[str]) -> str:
    """Return the texts as a JSON array, in half the time that the encoder of any value takes."""
    return f"[{', '.join(map(encode_basestring, texts))}]"
