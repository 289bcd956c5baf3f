"""Split a long iteration into lists of a certain length, which are read one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")


def in_chunks(items: Iterable[_Item], length: int) -> Iterator[list[_Item]]:
    """Yield the items in lists of this length, the last one shorter; each is read when it is asked for."""
    remaining = iter(items)
    while chunk := list(islice(remaining, length)):
        yield chunk
