"""Text on its way to a user or a shell: misleading characters, long texts, counts, quoted arguments."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from collections.abc import Callable
from pathlib import Path

_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def is_control(character: str) -> bool:
    """Return whether a character is invisible or changes its surroundings: controls, line ends, direction marks."""
    return unicodedata.category(character) in _CONTROL_CATEGORIES


def replace_controls(text: str, replace: Callable[[str], str]) -> str:
    """Return the text with every control character (`is_control`) replaced by what `replace` makes of it."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(replace(character) if is_control(character) else character for character in text)


def fold_whitespace(text: str) -> str:
    """Return the text on one line, each run of white space and controls as one blank."""
    return " ".join(replace_controls(text, lambda _: " ").split())


def truncate(text: str, length: int) -> str:
    """Return the text, cut to `length` characters with an ellipsis as the last one if it is longer."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def replace_unwritable(text: str) -> str:
    """Return the text with `�` in place of what no text file can hold: NUL and half of a surrogate pair."""
    return _UNWRITABLE.sub("\ufffd", text)


def is_utf8(text: str) -> bool:
    """Return whether a text from the system was UTF-8: other bytes come as halves of characters."""
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

    A plain name stays as it is; double quotes are taken if they mean the same in bash, zsh, PowerShell and cmd.exe.
    What is special in one of them even there is quoted for the shells of the system: single quotes of PowerShell on
    Windows, of POSIX elsewhere. A path that begins with `-` is not taken for an option.
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
    """A command of bulkupdate as the user can paste it into a shell; `arguments` are its parts, for programs."""

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


def _name_argument(argument: str | Path) -> str:
    """Return an argument as text; a path that begins with `-` is not taken for an option."""
    return f"./{argument}" if isinstance(argument, Path) and str(argument).startswith("-") else str(argument)


def _escape_controls(text: str) -> str:
    """Quote a name with control characters so that neither a terminal nor a shell acts on them (bash, zsh)."""
    escaped = re.sub(r"['\\]", lambda found: f"\\{found[0]}", text)
    return "$'" + _CONTROL.sub(lambda found: f"\\{ord(found[0]):03o}", escaped) + "'"
