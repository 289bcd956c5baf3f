"""The heap of the server's process: one for all of its threads."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_ARENA_MAX = -8  # M_ARENA_MAX of the GNU C library's malloc.h


def share_heap() -> None:
    """Let all threads that begin from now on use one heap; without effect where the C library is not GNU's.

    That library gives threads heaps of their own, which keep what ended threads have freed. Each run begins some
    threads, so that a server grew by 0.2 MiB with each small sheet. Only one thread computes at a time anyway.
    """
    with suppress(OSError, TypeError, AttributeError):  # on Windows; on macOS and musl
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)
