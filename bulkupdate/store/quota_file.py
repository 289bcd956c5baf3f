"""The quota's file: what all processes of the machine have spent of one user's quota on one host.

It is shared, survives `kill -9`, and works on every system. Here are the tables and the statements; what they mean is
decided in `sellercloud/rate_limit_store.py`.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bulkupdate.errors import StoppedError
from bulkupdate.store.sqlite_file import (
    DatabaseKind,
    Failure,
    make_private_folder,
    open_file,
    touch_private,
    transaction,
    translated_errors,
)

QUOTA_NAME = "quota.sqlite3"

_TABLES = """
CREATE TABLE IF NOT EXISTS allowance (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    used INTEGER NOT NULL DEFAULT 0,            -- rows in spent
    paused_until REAL NOT NULL DEFAULT 0,
    paused_for REAL NOT NULL DEFAULT 0,         -- seconds of that pause, as it was asked for
    generation INTEGER NOT NULL DEFAULT 0,      -- of throttle answers obeyed so far
    throttled INTEGER NOT NULL DEFAULT 0,       -- of them in a row; 0: not throttled
    throttled_since REAL NOT NULL DEFAULT 0,
    probe_until REAL NOT NULL DEFAULT 0         -- lease of the one request that tries whether it still is
);
CREATE TABLE IF NOT EXISTS spent (id INTEGER PRIMARY KEY, allowance INTEGER NOT NULL, free_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS spent_in_order ON spent (allowance, free_at);
"""

_UNUSABLE = (
    "The quota file {path} cannot be used: {reason}.",
    "Check that the folder is writable, the disk not full, and that no other program holds the file.",
)

QUOTA = DatabaseKind(
    version=1,
    tables=_TABLES,
    synchronous="NORMAL",  # whole after kill -9 and power loss, which may cost the last entries
    error=StoppedError,
    messages={
        Failure.LOCKED: _UNUSABLE,
        Failure.FULL: _UNUSABLE,
        Failure.UNUSABLE: _UNUSABLE,
        Failure.DAMAGED: (
            "The quota file {path} is damaged: {reason}.",
            "Move it away. It records the requests of the last hour, so wait an hour before the next run.",
        ),
        Failure.OTHER_VERSION: (
            "The quota file {path} was written by another version of bulkupdate ({reason}).",
            "Use the newer version, or another BULKUPDATE_STATE_DIR.",
        ),
        Failure.UNREACHABLE: (
            "The quota file {path} cannot be made: {reason}.",
            "Make the folder writable, or name another one with BULKUPDATE_STATE_DIR.",
        ),
    },
    page_bytes=1024,  # little is written for each request
    is_made_in_place=True,
)


@dataclass(slots=True)
class QuotaState:
    """The state of one allowance; times are seconds since 1970, 0 for none.

    `used` slots are taken. `paused_for` is the length of the pause, in seconds. `generation` counts the throttle
    answers obeyed so far, `throttled` those in a row, the first of them at `throttled_since`. `probe_until` ends the
    lease of the one request that tries whether the service still throttles.
    """

    used: int
    paused_until: float
    paused_for: float
    generation: int
    throttled: int
    throttled_since: float
    probe_until: float

    def as_columns(self) -> _Columns:
        """Return the values in the order of the fields."""
        return (
            self.used, self.paused_until, self.paused_for, self.generation, self.throttled, self.throttled_since,
            self.probe_until,
        )  # fmt: skip


_Columns = tuple[int, float, float, int, int, float, float]


class QuotaFile:
    """One allowance in the quota file of a state folder. Thread-safe.

    Every method raises `StoppedError` if the file is locked for long, damaged, or cannot be written.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / QUOTA_NAME
        self._lock = threading.Lock()
        self._ended: list[tuple[float, int]] = []
        self._is_closed = False
        with self._translated():
            self._connection = _open(self.path)
            self._id = _find(self._connection, hashlib.sha256(name.encode()).hexdigest()[:32])

    @contextmanager
    def transaction(self) -> Iterator[QuotaState]:
        """Give the state to a block; what the block changes in it is written in the same transaction."""
        with self._lock, self._translated(), transaction(self._connection):
            if self._ended:
                self._write_ended()
            columns = self._read_state()
            state = QuotaState(*columns)
            yield state
            if (changed := state.as_columns()) != columns:
                self._connection.execute(
                    "UPDATE allowance SET used = ?, paused_until = ?, paused_for = ?, generation = ?, throttled = ?,"
                    " throttled_since = ?, probe_until = ? WHERE id = ?",
                    (*changed, self._id),
                )

    def read_state(self) -> QuotaState:
        """Return the state as it was last written, without waiting for the file."""
        with self._lock, self._translated():
            return QuotaState(*self._read_state())

    def free_later(self, slot: int, when: float) -> None:
        """Note that a slot comes free then.

        It is written with the next transaction: a note that gets lost only keeps its slot a little longer.
        """
        self._ended.append((when, slot))

    def close(self) -> None:
        """Write what was noted, and close the file. May be called twice."""
        with self._lock, self._translated():
            if not self._is_closed and self._ended:
                self._write_ended()
            self._is_closed = True
            self._connection.close()

    # --- inside a transaction -----------------------------------------------------------------------------------------

    def take_slot(self, free_at: float) -> int:
        """Take a slot until `free_at`; return its number."""
        return int(
            self._connection.execute(
                "INSERT INTO spent (allowance, free_at) VALUES (?, ?)", (self._id, free_at)
            ).lastrowid
            or 0
        )

    def bring_forward(self, latest: float, free_at: float) -> None:
        """Let the slots that would come free after `latest` come free at `free_at`."""
        self._connection.execute(
            "UPDATE spent SET free_at = ? WHERE allowance = ? AND free_at > ?", (free_at, self._id, latest)
        )

    def drop_free(self, now: float) -> int:
        """Delete the slots that have come free; return how many they were."""
        return self._connection.execute(
            "DELETE FROM spent WHERE allowance = ? AND free_at <= ?", (self._id, now)
        ).rowcount

    def list_free_times(self, skip: int, count: int) -> list[float]:
        """Return when the slots come free, earliest first: this many, after the first ones to skip."""
        found = self._connection.execute(
            "SELECT free_at FROM spent WHERE allowance = ? ORDER BY free_at LIMIT ? OFFSET ?", (self._id, count, skip)
        )
        return [float(free_at) for (free_at,) in found]

    def _read_state(self) -> _Columns:
        row: _Columns = self._connection.execute(
            "SELECT used, paused_until, paused_for, generation, throttled, throttled_since, probe_until"
            " FROM allowance WHERE id = ?",
            (self._id,),
        ).fetchone()
        return row

    def _write_ended(self) -> None:
        ended, self._ended = self._ended, []
        self._connection.executemany("UPDATE spent SET free_at = ? WHERE id = ?", ended)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        with translated_errors(self.path, QUOTA):
            yield


def _open(path: Path) -> sqlite3.Connection:
    make_private_folder(path.parent)
    touch_private(path)
    connection = open_file(path, QUOTA, check_same_thread=False)
    _add_missing_column(connection)
    return connection


def _add_missing_column(connection: sqlite3.Connection) -> None:
    """Bring a file of an older program up to date; that program can still use it."""
    with transaction(connection):
        if "paused_for" not in {name for _, name, *_ in connection.execute("PRAGMA table_info(allowance)")}:
            connection.execute("ALTER TABLE allowance ADD COLUMN paused_for REAL NOT NULL DEFAULT 0")


def _find(connection: sqlite3.Connection, name: str) -> int:
    connection.execute("INSERT OR IGNORE INTO allowance (name) VALUES (?)", (name,))
    return int(connection.execute("SELECT id FROM allowance WHERE name = ?", (name,)).fetchone()[0])
