"""What a new run needs to know about its rows, whatever their source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from bulkupdate.customers.models import CheckedRow, Correction, Problem
from bulkupdate.runs.loading.sheet_reading import UsedReading
from bulkupdate.runs.matching.live_key import LiveKey


class RowSource(Protocol):
    """What a new run needs of a file: a `CheckedInput`, or the stored one of an upload."""

    @property
    def path(self) -> Path:
        """The path of the file, which may be gone."""

    @property
    def sha256(self) -> str:
        """The hash of its content, by which it is recognised."""

    @property
    def shown_as(self) -> str | None:
        """Its name for users; None if that is its path."""

    @property
    def sheet_name(self) -> str | None:
        """The sheet of the workbook that was read; None if the file has none."""

    @property
    def original_headings(self) -> tuple[str, ...]:
        """The file's headings, in the order of `CheckedRow.original`."""

    @property
    def live_key(self) -> LiveKey | None:
        """How the rows' keys are compared with live customers; None if they are not."""

    @property
    def used(self) -> UsedReading:
        """How the file was read."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the checks found."""

    @property
    def corrections(self) -> tuple[Correction, ...]:
        """The cells whose texts were replaced before the checks."""

    @property
    def to_send(self) -> int:
        """The rows that would be sent, one request each."""

    def rows(self) -> Iterator[CheckedRow]:
        """Yield every row in the order of the file."""
