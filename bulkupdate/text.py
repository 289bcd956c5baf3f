"""Texts for eyes and for shells."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

_PLAIN = re.compile(r"[\w./:+-]+")
_PLAIN_ON_WINDOWS = re.compile(r"[\w./:+\\-]+")
_SPECIAL_IN_DOUBLE_QUOTES = re.compile('["$`\\\\!%\u201c\u201d\u201e\x00-\x1f\x7f]')
_SPECIAL_ON_WINDOWS = re.compile(r'["$`!%“”„\x00-\x1f\x7f]|\\\\|\\$')
_POWERSHELL_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")
_CONTROL = re.compile("[\x00-\x1f\x7f]")


def quote_argument(argument: str | Path, *, is_windows: bool = os.name == "nt") -> str:
    """Return a text or a file name as one argument of a command that can be pasted into a shell.

    A plain name stays as it is; double quotes are taken if they mean the same in bash, zsh, PowerShell and cmd.exe.
    What is special in one of them even there is quoted for the shells of the system: single quotes of PowerShell on
    Windows, of POSIX elsewhere. A path that begins with `-` is not taken for an option.
    """
    text = str(argument)
    if isinstance(argument, Path) and text.startswith("-"):
        text = f"./{text}"
    plain, special = (_PLAIN_ON_WINDOWS, _SPECIAL_ON_WINDOWS) if is_windows else (_PLAIN, _SPECIAL_IN_DOUBLE_QUOTES)
    if plain.fullmatch(text):
        return text
    if not special.search(text):
        return f'"{text}"'
    if is_windows:
        return "'" + _POWERSHELL_QUOTES.sub(lambda found: found[0] * 2, text) + "'"
    return _escape_controls(text) if _CONTROL.search(text) else shlex.quote(text)


def _escape_controls(text: str) -> str:
    """Quote a name with control characters so that neither a terminal nor a shell acts on them (bash, zsh)."""
    escaped = re.sub(r"['\\]", lambda found: f"\\{found[0]}", text)
    return "$'" + _CONTROL.sub(lambda found: f"\\{ord(found[0]):03o}", escaped) + "'"
