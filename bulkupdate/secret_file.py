"""Read a password from a file; error messages never show any of it."""

from __future__ import annotations

import codecs
from pathlib import Path

from bulkupdate.errors import UsageError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
"""The byte order marks that Notepad writes, and the encoding that removes each."""


def read_secret_file(path: Path) -> str:
    """Return the text of the file without byte order mark and line end.

    Raises `UsageError` if the file cannot be read or is not text.
    """
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not valid"
        raise UsageError(
            f"The password file {path} cannot be read: {reason}.",
            remedy="Correct the setting that names it, or the permissions of the file.",
        ) from None
    try:
        text = decode_text(data)
    except UnicodeDecodeError:
        raise _not_text_error(path) from None  # the error shows bytes of the password
    if "\0" in text:
        raise _not_text_error(path)
    return text.strip("\r\n")


def decode_text(data: bytes) -> str:
    """Return the text without byte order mark. Raises `UnicodeDecodeError`, whose text shows some of its bytes."""
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    return data.decode(encoding)


def _not_text_error(path: Path) -> UsageError:
    return UsageError(f"The password file {path} is not UTF-8 text.", remedy="Save it as UTF-8 text.")
