"""A limit on customers, as a setting or an option gives it: a number, or a percentage of the rows of a file."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_LIMIT = re.compile(r"(?P<customers>[0-9]{1,10})|(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,6})?)\s?%|none|")


@dataclass(frozen=True, slots=True)
class ChangeLimit:
    """The limit that a text such as `500`, `20%` or `none` means; an empty text: not set. Raises `ValueError`."""

    text: str = ""

    def __post_init__(self) -> None:
        found = _LIMIT.fullmatch(self.text)
        if not found or float(found["percent"] or 0) > 100:
            raise ValueError(f"{self.text!r} is not a number, a percentage such as 20%, or none")

    def __bool__(self) -> bool:
        """Return whether a limit, or that there is none, was set."""
        return bool(self.text)

    def count(self, rows: int) -> float:
        """Return the number of customers for a file of `rows` rows; infinite without a limit."""
        if self.text in ("", "none"):
            return math.inf
        return rows * float(self.text.rstrip("% ")) / 100 if self.text.endswith("%") else int(self.text)

    def describe(self, rows: int) -> str:
        """Return the limit for a message about a file of `rows` rows: `500`, or `20% (100)`."""
        count = f"{math.floor(self.count(rows)):,}"
        return f"{self.text} ({count})" if self.text.endswith("%") else count
