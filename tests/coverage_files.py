"""Delete coverage data that a killed process left half-written: one such file keeps the others from being combined."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def is_whole(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        return False


if __name__ == "__main__":
    for each in Path().glob(".coverage.*"):
        if not is_whole(each):
            print(f"{each} is not whole")  # noqa: T201
            each.unlink()
