"""A limit on the customers that a file may change: a number, or a percentage of its rows."""

from __future__ import annotations

import math
import re
from typing import Self

_LIMIT = re.compile(r"(?:[0-9]{1,10}|(?P<percent>[0-9]{1,3}(?:\.[0-9]{1,6})?)\s?%|none|)")


class ChangeLimit(str):
    """The limit that a text such as `500`, `20%` or `none` means; an empty text: not set. Raises `ValueError`."""

    __slots__ = ()

    def __new__(cls, text: str = "") -> Self:
        """Take the text as a limit."""
        found = _LIMIT.fullmatch(text)
        if not found or float(found["percent"] or 0) > 100:
            raise ValueError(f"{text!r} is not a number, a percentage such as 20%, or none")
        return super().__new__(cls, text)

    def resolve(self, rows: int) -> float:
        """Return the number of customers for a file of `rows` rows; infinite without a limit."""
        if self in ("", "none"):
            return math.inf
        return rows * float(self.rstrip("% ")) / 100 if self.endswith("%") else int(self)

    def describe(self, rows: int) -> str:
        """Return the limit for a message about a file of `rows` rows: `500`, or `20% (100)`."""
        number = f"{math.floor(self.resolve(rows)):,}"
        return f"{self} ({number})" if self.endswith("%") else number
