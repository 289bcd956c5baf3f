"""What a new run needs of its rows, wherever they come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from bulkupdate.customers.models import CheckedRow, Problem


class RowSource(Protocol):
    """What a new run needs of a file: a `CheckedInput`, what was kept of one (`web/`), or a `Selection` of either."""

    @property
    def path(self) -> Path:
        """The path of the file, which may be gone."""

    @property
    def sha256(self) -> str:
        """Its content, by which it is recognised."""

    @property
    def shown_as(self) -> str | None:
        """The name its users know it by; None if that is its path."""

    @property
    def sheet_name(self) -> str | None:
        """The sheet of the workbook that was read; None if the file has none."""

    @property
    def original_headings(self) -> tuple[str, ...]:
        """The file's headings, in the order of `CheckedRow.original`."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the checks found."""

    @property
    def to_send(self) -> int:
        """The rows that would be sent, one request each."""

    def rows(self) -> Iterator[CheckedRow]:
        """Yield every row in the order of the file."""
