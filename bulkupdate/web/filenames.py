"""A file's name as its sender gave it: shown, never used as a path."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.file_type import ENDINGS

LONGEST_NAME = 120
_HARMFUL_INSIDE = frozenset(
    {".exe", ".com", ".bat", ".cmd", ".msi", ".scr", ".ps1", ".vbs", ".js", ".jar", ".sh", ".php", ".py", ".htm"}
    | {".html", ".svg", ".xlsm", ".xltm", ".docm", ".zip", ".lnk"}
)
"""Endings that must not stand before the last one: `report.exe.csv` wants to be taken for something else."""


def clean_name(name: str) -> str:
    """Return the name without folders, control characters and marks that turn the direction of writing; never empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        character for character in last if unicodedata.category(character)[0] not in "CZ" or character == " "
    )
    kept = " ".join(kept.split()) or "sheet"
    ending = PurePosixPath(kept).suffix[:10]
    return kept if len(kept) <= LONGEST_NAME else kept[: LONGEST_NAME - len(ending) - 1] + "…" + ending


def require_sheet_name(name: str) -> str:
    """Return the ending of the name, in lower case. Raises `InputFileError` if no such sheet is read."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    ending = PurePosixPath(name).suffix.lower()
    if ending not in ENDINGS:
        raise InputFileError(
            f"“{name}” is not a supported file: its name must end in {', '.join(ENDINGS)}.",
            remedy="Open it in Excel and save it as “Excel Workbook (.xlsx)” or “CSV UTF-8”.",
        )
    if _HARMFUL_INSIDE.intersection(suffixes[:-1]):
        raise InputFileError(
            f"“{name}” has two endings, {suffixes[-2]} and {ending}.",
            remedy="Give it a plain name and upload it again.",
        )
    return ending
