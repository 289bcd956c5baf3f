"""What page servers on several hosts share beside the journal: sessions, keys and small files. Only in PostgreSQL."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from bulkupdate.errors import LostConnectionError, StoppedError
from bulkupdate.redaction import Secret
from bulkupdate.store.database import Database
from bulkupdate.store.database_kind import DatabaseKind
from bulkupdate.store.place import open_database

_Result = TypeVar("_Result")

NOW = "CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
"""The database's clock, in seconds since 1970."""

_TABLES = """
-- The sessions of the pages, without their passwords; `id` is a hash of what the cookie holds.
CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    identity TEXT NOT NULL,
    user_key TEXT NOT NULL,
    host TEXT NOT NULL,
    address TEXT NOT NULL,
    browser TEXT NOT NULL,
    started REAL NOT NULL,
    seen REAL NOT NULL,
    -- Why it ended; empty until then, and for one that is idle or too old.
    ended TEXT NOT NULL DEFAULT ''
);
CREATE TABLE keys (name TEXT PRIMARY KEY, value TEXT NOT NULL);
-- Files that every host has a copy of, by their paths in the state folder; without content if they were deleted.
CREATE TABLE files (
    path TEXT PRIMARY KEY,
    content bytea,
    version INTEGER NOT NULL UNIQUE,
    changed REAL NOT NULL
)
"""

SHARED = DatabaseKind(name="shared", version=1, tables=_TABLES, synchronous="", error=StoppedError, messages={})


class SharedStore:
    """The database of several hosts. Thread-safe.

    A lost connection is restored once, at once: a user waits for the page. Raises `StoppedError` if the database cannot
    be used.
    """

    def __init__(self, url: Secret) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._database: Database | None = None

    def query(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Execute a statement that returns rows, and may be executed twice."""
        return self._do(lambda database: database.connection.execute(statement, values).fetchall())

    def execute(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        """Execute statements with their values, which may be executed twice, all or none; one writer at a time."""

        def write(database: Database) -> None:
            with database.transaction():
                for statement, values in statements:
                    database.connection.execute(statement, values)

        self._do(write)

    def read_key(self, name: str) -> bytes:
        """Return the random key of that name, made at its first use."""
        add = "INSERT INTO keys (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"
        self.execute((add, (name, secrets.token_hex(32))))
        return bytes.fromhex(self.query("SELECT value FROM keys WHERE name = ?", name)[0][0])

    def close(self) -> None:
        """Close the connection; the next statement opens another one."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def _do(self, work: Callable[[Database], _Result]) -> _Result:
        with self._lock:
            try:
                return self._try(work)
            except LostConnectionError:
                self._database = None
                return self._try(work)

    def _try(self, work: Callable[[Database], _Result]) -> _Result:
        if self._database is None:
            self._database = open_database(self._url, "", SHARED)
        with self._database.translated():
            return work(self._database)
