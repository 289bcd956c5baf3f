"""The options of a night."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.run_records import RunOptions


class DuplicatePolicy(StrEnum):
    """What to do with a file whose content was sent before."""

    WARN = "warn"
    """Send it again, with a warning."""
    SKIP = "skip"
    """Do not send it if all of its rows were updated before; otherwise as `WARN`."""
    REFUSE = "refuse"


@dataclass(frozen=True)
class NightOptions:
    """The options of a night.

    `end` is when sending stops, in seconds since 1970; None means when everything is sent. A file is claimed if it has
    not changed for `settle_seconds`. `create`: set up the folder. `run_options` are those of every run.
    """

    skip_invalid: bool = False
    duplicates: DuplicatePolicy = DuplicatePolicy.WARN
    end: float | None = None
    settle_seconds: float = 5.0
    create: bool = False
    sheet: SheetOptions = field(default_factory=SheetOptions)
    run_options: RunOptions = field(default_factory=RunOptions)
