"""Do the same work for several things at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")

_THREADS = 2


def map_in_threads(make: Callable[[_Item], _Made], items: Iterable[_Item]) -> list[_Made]:
    """Return what `make` returns for each item, in their order; two are made at a time.

    That saves time where most of the work is done without Python's lock, as pyarrow does its own.
    """
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(make, items))
