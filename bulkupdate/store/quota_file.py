"""The quota's file: how much of a user's quota on a host all processes of the machine have used.

It survives `kill -9`, and works on every system. This module has the tables and statements;
`sellercloud/rate_limit_store.py` decides what they mean.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import TypeVar

from bulkupdate.errors import StoppedError
from bulkupdate.store.database import Database
from bulkupdate.store.database_kind import DatabaseKind, Failure
from bulkupdate.store.place import Place, open_database
from bulkupdate.store.quota_at_once import take_at_once
from bulkupdate.store.sqlite_file import SqliteDatabase

QUOTA_NAME = "quota.sqlite3"

_Result = TypeVar("_Result")

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
    name="quota",
    version=1,
    tables=_TABLES,
    synchronous="NORMAL",  # intact after kill -9 and power loss, which may lose the last entries
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
            "The quota file {path} cannot be created: {reason}.",
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
    answers acted on so far, `throttled` the consecutive ones, the first of them at `throttled_since`. `probe_until`
    ends the lease of the one request that probes whether the service still throttles.
    """

    used: int
    paused_until: float
    paused_for: float
    generation: int
    throttled: int
    throttled_since: float
    probe_until: float

    def moved(self, seconds: float) -> QuotaState:
        """Return the same state by a clock that is so much ahead."""
        if not seconds:
            return self
        times = (self.paused_until, self.throttled_since, self.probe_until)
        paused_until, throttled_since, probe_until = (time + seconds if time else 0 for time in times)
        return replace(self, paused_until=paused_until, throttled_since=throttled_since, probe_until=probe_until)


_values_of = attrgetter(*(column.name for column in fields(QuotaState)))
"""Return the state as a tuple; `dataclasses.astuple` takes twenty times as long, for each request."""


_READ_STATE = f"SELECT {', '.join(column.name for column in fields(QuotaState))} FROM allowance WHERE id = ?"  # noqa: S608


class QuotaFile:
    """One allowance in the quota file of a state folder, or in the database. Thread-safe.

    Times are those of this machine's clock; a database that hosts share keeps them by its own clock. Every method
    raises `StoppedError` if the store is locked for long, damaged, or cannot be written.
    """

    def __init__(self, place: Place, name: str) -> None:
        self._lock = threading.Lock()
        self._ended: list[tuple[float, int]] = []
        self._is_closed = False
        self._database = open_database(place, QUOTA_NAME, QUOTA)
        with self._database.translated():
            _add_missing_column(self._database)
        self._id = self.retried(lambda: _find(self._database, hashlib.sha256(name.encode()).hexdigest()[:32]))

    def retried(self, work: Callable[[], _Result]) -> _Result:
        """Do this, and do it again if the connection was lost and could be restored."""
        return self._database.retried(work)

    @contextmanager
    def transaction(self) -> Iterator[QuotaState]:
        """Give the state to a block; what the block changes in it is written in the same transaction."""
        with self._lock, self._database.translated(), self._database.transaction():
            state = self._read_state(" FOR UPDATE" if self._database.locks_rows else "")
            if self._ended:
                self._write_ended()
            before = _values_of(state)
            yield state
            if _values_of(state) != before:
                self._database.connection.execute(
                    "UPDATE allowance SET used = ?, paused_until = ?, paused_for = ?, generation = ?, throttled = ?,"
                    " throttled_since = ?, probe_until = ? WHERE id = ?",
                    (*_values_of(state.moved(self._offset)), self._id),
                )

    def take_at_once(self, count: int, limit: int, now: float, free_at: float) -> list[tuple[int, int]]:
        """Take slots until `free_at` with one statement; return their numbers, each with the generation.

        None of them if there is more to decide: fewer are free, or the service throttles. Only a database can.
        """
        if not self._database.locks_rows:
            return []
        with self._lock, self._database.translated():
            ended, pause = self._ended[:], now + self._offset
            taken = take_at_once(
                self._database.connection, self._id, count, limit, pause=pause, free_at=free_at, ended=ended
            )
            if taken:
                del self._ended[: len(ended)]
            return taken

    def read_state(self) -> QuotaState:
        """Return the state as it was last written, without waiting for the file."""
        with self._lock, self._database.translated():
            return self._read_state()

    def free_later(self, slot: int, when: float) -> None:
        """Note that a slot is free from `when`.

        It is written with the next transaction: if the note is lost, its slot only stays taken a little longer.
        """
        self._ended.append((when, slot))

    def close(self) -> None:
        """Write what was noted, and close the file. May be called twice."""
        with self._lock, self._database.translated():
            if not self._is_closed and self._ended:
                self._write_ended()
            self._is_closed = True
            self._database.close()

    # --- inside a transaction -----------------------------------------------------------------------------------------

    def take_slots(self, count: int, free_at: float) -> list[int]:
        """Take this many slots until `free_at`; return their numbers."""
        rows = ", ".join(["(?1, ?2)"] * count)
        statement = f"INSERT INTO spent (allowance, free_at) VALUES {rows} RETURNING id"  # noqa: S608 - fixed words
        taken = self._database.connection.execute(statement, (self._id, free_at + self._late_offset))
        return [int(number) for (number,) in taken.fetchall()]

    def bring_forward(self, latest: float, free_at: float) -> None:
        """Let the slots that would come free after `latest` come free at `free_at`."""
        self._database.connection.execute(
            "UPDATE spent SET free_at = ? WHERE allowance = ? AND free_at > ?",
            (free_at + self._late_offset, self._id, latest + self._offset),
        )

    def drop_free(self, now: float) -> int:
        """Delete the slots that have come free; return how many they were."""
        return self._database.connection.execute(
            "DELETE FROM spent WHERE allowance = ? AND free_at <= ?", (self._id, now + self._offset)
        ).rowcount

    def list_free_times(self, skip: int, count: int) -> list[float]:
        """Return when the slots come free, earliest first: this many, after the first ones to skip."""
        found = self._database.connection.execute(
            "SELECT free_at FROM spent WHERE allowance = ? ORDER BY free_at LIMIT ? OFFSET ?", (self._id, count, skip)
        )
        return [float(free_at) - self._offset for (free_at,) in found.fetchall()]

    @property
    def _offset(self) -> float:
        """The least, so that it is never later than it is."""
        return self._database.clock_offset.least

    @property
    def _late_offset(self) -> float:
        """The most: a slot comes free by it, so that no process takes it too early."""
        return self._database.clock_offset.most

    def _read_state(self, suffix: str = "") -> QuotaState:
        row = self._database.connection.execute(_READ_STATE + suffix, (self._id,)).fetchone()
        return QuotaState(*row).moved(-self._offset)

    def _write_ended(self) -> None:
        ended, self._ended = self._ended, []
        rows = [(when + self._late_offset, slot) for when, slot in ended]
        self._database.connection.executemany("UPDATE spent SET free_at = ? WHERE id = ?", rows)


def _add_missing_column(database: Database) -> None:
    """Bring a file of an older program up to date; that program can still use it."""
    if not isinstance(database, SqliteDatabase):
        return
    with database.transaction():
        if "paused_for" not in {name for _, name, *_ in database.connection.execute("PRAGMA table_info(allowance)")}:
            database.connection.execute("ALTER TABLE allowance ADD COLUMN paused_for REAL NOT NULL DEFAULT 0")


def _find(database: Database, name: str) -> int:
    with database.translated():
        add = "INSERT INTO allowance (name) VALUES (?) ON CONFLICT (name) DO NOTHING"
        database.connection.execute(add, (name,))
        return int(database.connection.execute("SELECT id FROM allowance WHERE name = ?", (name,)).fetchone()[0])
