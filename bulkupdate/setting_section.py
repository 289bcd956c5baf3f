"""What a setting is about, and the description that a setting of the table carries."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Any


class Section(StrEnum):
    """What a setting is about, as the headings of `bulkupdate help settings`."""

    CONNECTION = "Connection"
    SENDING = "Sending"
    GUARDS = "Guards"
    SHEETS = "Sheets"
    PAGE = "Upload page"
    NOTICES = "Notifications"


def make_setting(
    section: Section,
    default: Any,
    help_text: str,
    *,
    least: float | None = None,
    most: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Return the field of a setting; `least` and `most` bound a number, None: no bound, or no number."""
    if choices:
        help_text += f" Values: {', '.join(choices)}."
    metadata = {"section": section, "help": help_text, "least": least, "most": most, "choices": choices}
    return field(default=default, metadata=metadata)
