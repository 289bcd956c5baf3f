"""How often Python looks for garbage."""

from __future__ import annotations

import gc

_OBJECTS = 200_000


def collect_rarely() -> None:
    """Collect garbage only after this many new objects.

    pandas and the rows of a sheet are many objects that live long: looking through them takes a tenth of a small check.
    """
    gc.set_threshold(_OBJECTS)
