"""The space on the server's disks: some is kept free, so that runs can record what they send."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from pathlib import Path

FLOOR_BYTES = 512 << 20
FLOOR_SHARE = 0.05
"""Uploads leave this much of a disk free, whichever is less."""


def has_room(folder: str | Path, size: int) -> bool:
    """Return whether a file of this size (bytes) may be written to the folder's disk; True if that is not known."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return True
    return usage.free - size >= min(FLOOR_BYTES, FLOOR_SHARE * usage.total)


def is_full_error(error: BaseException | None) -> bool:
    """Return whether an error, or what caused it, says that the disk is full."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
