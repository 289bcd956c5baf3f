"""The name of an uploaded file: shown to users, never used as a path."""

from __future__ import annotations

from pathlib import PurePosixPath

from bulkupdate.errors import InputFileError
from bulkupdate.spreadsheets.reading.file_type import ENDINGS
from bulkupdate.text import replace_controls

MAX_NAME_LENGTH = 120
_EXECUTABLE_ENDINGS = frozenset(
    {".exe", ".com", ".bat", ".cmd", ".msi", ".scr", ".ps1", ".vbs", ".js", ".jar", ".sh", ".php", ".py", ".htm"}
    | {".html", ".svg", ".xlsm", ".xltm", ".docm", ".zip", ".lnk"}
)
"""Endings that are refused before the last one: `report.exe.csv` pretends to be something else."""


def clean_name(name: str) -> str:
    """Return the name without folders, control characters and direction marks; never empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    cleaned = " ".join(replace_controls(last, lambda _: "").split()) or "sheet"
    ending = PurePosixPath(cleaned).suffix[:10]
    if len(cleaned) <= MAX_NAME_LENGTH:
        return cleaned
    return cleaned[: MAX_NAME_LENGTH - len(ending) - 1] + "…" + ending


def require_sheet_name(name: str) -> str:
    """Return the ending of the name in lower case. Raises `InputFileError` if files of that type cannot be read."""
    suffixes = [suffix.lower() for suffix in PurePosixPath(name).suffixes]
    ending = PurePosixPath(name).suffix.lower()
    if ending not in ENDINGS:
        raise InputFileError(
            f"“{name}” is not a supported file: its name must end in {', '.join(ENDINGS)}.",
            remedy="Open it in Excel and save it as “Excel Workbook (.xlsx)” or “CSV UTF-8”.",
        )
    if _EXECUTABLE_ENDINGS.intersection(suffixes[:-1]):
        raise InputFileError(
            f"“{name}” has two endings, {suffixes[-2]} and {ending}.",
            remedy="Rename the file and upload it again.",
        )
    return ending
