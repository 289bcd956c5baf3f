"""Long lists in pages, numbered from 1."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

PAGE_ROWS = 100


@dataclass(frozen=True)
class Paging:
    """Which page of a list is shown. `total` are the rows of the whole list, `size` those of a full page."""

    number: int
    total: int
    size: int = PAGE_ROWS

    @property
    def last(self) -> int:
        """The number of the last page."""
        return max(1, -(-self.total // self.size))


def read_page_number() -> int:
    """Return the number of the page in the address or the form; 1 if there is none, or it is not a number."""
    page = request.values.get("page", "1")
    return max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1


def count_skipped(number: int, size: int = PAGE_ROWS) -> int:
    """Return how many rows are before this page."""
    return (number - 1) * size
