"""SQLite files: opening, versions, transactions, and failures distinguished by SQLite's own codes.

Each store describes its tables as a `DatabaseKind`; the rest is the same for all of them.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from bulkupdate.store.database import ClockOffset
from bulkupdate.store.database_kind import DatabaseKind, Failure

_Result = TypeVar("_Result")

LOCK_WAIT_SECONDS = 20.0
"""How long another program may hold a file."""

_LOCK_POLL_SECONDS = 0.02

_creating = threading.Lock()
"""Held while a file is created, so that no other thread uses it before it is closed."""

_CODES = {
    sqlite3.SQLITE_BUSY: Failure.LOCKED,
    sqlite3.SQLITE_LOCKED: Failure.LOCKED,
    sqlite3.SQLITE_FULL: Failure.FULL,
    sqlite3.SQLITE_IOERR: Failure.FULL,
    sqlite3.SQLITE_CORRUPT: Failure.DAMAGED,
    sqlite3.SQLITE_NOTADB: Failure.DAMAGED,
    sqlite3.SQLITE_ERROR: Failure.DAMAGED,
}


def make_private_folder(folder: Path) -> None:
    """Create a folder that only its owner can use, unless it exists. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def touch_private(path: Path) -> None:
    """Create an empty file that only its owner can read, unless it exists. Raises `OSError`.

    A file that exists is not opened: closing it would give up the locks that SQLite holds on it for this process, and
    another process would then delete the log in which this one still writes.
    """
    with _creating, suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def open_file(path: Path, kind: DatabaseKind, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """Connect to a file that has its tables, and bring them to the current version.

    Raises `sqlite3.Error`, and the kind's own error if another version has written it.
    """
    connection = sqlite3.connect(
        path, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=check_same_thread
    )
    try:
        _migrate(connection, path, kind)
        _switch_to_wal(connection)
        connection.execute(f"PRAGMA synchronous = {kind.synchronous}")
    except BaseException:
        connection.close()
        raise
    return connection


def create_tables(path: Path, kind: DatabaseKind) -> None:
    """Give an empty file its tables. Raises `sqlite3.Error`."""
    with closing(sqlite3.connect(path, timeout=LOCK_WAIT_SECONDS, isolation_level=None)) as connection:
        _create_tables(connection, kind)


def _create_tables(connection: sqlite3.Connection, kind: DatabaseKind) -> None:
    if kind.page_bytes:
        connection.execute(f"PRAGMA page_size = {kind.page_bytes}")
    _switch_to_wal(connection)
    with transaction(connection):
        if not _read_version(connection):  # another process may have been first
            _execute_all(connection, kind.tables)
            if kind.only_in_sqlite:
                _execute_all(connection, kind.only_in_sqlite)
            connection.execute(f"PRAGMA user_version = {kind.version}")


def _read_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _execute_all(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        connection.execute(statement)


def _migrate(connection: sqlite3.Connection, path: Path, kind: DatabaseKind) -> None:
    version = _read_version(connection)
    if version == 0 and kind.is_made_in_place:
        _create_tables(connection, kind)
        version = kind.version
    if version == 0:
        raise sqlite3.DatabaseError("it is empty, or not a file of bulkupdate")
    if version != kind.version and version not in kind.migrations:
        raise kind.describe(path, Failure.OTHER_VERSION, str(version))
    while version != kind.version:
        with transaction(connection):
            if _read_version(connection) == version:  # another process may have been first
                _execute_all(connection, kind.migrations[version])
                connection.execute(f"PRAGMA user_version = {version + 1}")
        version += 1


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on.

    SQLite does not wait for a lock here, so processes that start at the same time would make each other fail.
    """
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if classify_error(error) is not Failure.LOCKED or time.monotonic() > deadline:
                raise
        time.sleep(_LOCK_POLL_SECONDS)


@contextmanager
def transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """Execute all statements inside, or none. `kind` is one of SQLite's: "DEFERRED" for what only reads."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def classify_error(error: sqlite3.Error) -> Failure:
    """Return what is wrong, from SQLite's code; an error raised by this module has no code and means damage."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without the extended bits
    return _CODES.get(code, Failure.UNUSABLE)


@contextmanager
def translated_errors(path: Path, kind: DatabaseKind) -> Iterator[None]:
    """Raise failures of SQLite and of the disk as the kind's error, which says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise kind.describe(path, classify_error(error), str(error)) from error
    except OSError as error:
        raise kind.describe(path, Failure.UNREACHABLE, error.strerror or str(error)) from error


@contextmanager
def write_scratch_file(path: Path, tables: str) -> Iterator[sqlite3.Connection]:
    """Create a file that is written once, in one transaction and without a log: invalid unless the block succeeds.

    An existing file at the path is deleted. Raises `sqlite3.Error`.
    """
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(  # the rows of sheets are long, and large pages hold more of them
            f"PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; {tables}"
        )
        yield connection
        connection.execute("COMMIT")


def open_scratch_file(path: Path) -> sqlite3.Connection:
    """Open such a file to read it. Raises `sqlite3.Error`."""
    return sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)


class SqliteDatabase:
    """A SQLite file of one kind, made if it is missing; threads may share it, one at a time. See `Database`."""

    locks_rows = False

    def __init__(self, path: Path, kind: DatabaseKind) -> None:
        self.path, self._kind = path, kind
        self.clock_offset = ClockOffset(0.0, 0.0)  # the clock is this machine's
        with self.translated():
            make_private_folder(path.parent)
            touch_private(path)
            self.connection = open_file(path, kind, check_same_thread=False)

    @property
    def name(self) -> str:
        """The path of the file."""
        return str(self.path)

    def translated(self) -> AbstractContextManager[None]:
        """Raise failures of SQLite and of the disk as the kind's error."""
        return translated_errors(self.path, self._kind)

    def transaction(self) -> AbstractContextManager[None]:
        """Execute all statements inside, or none."""
        return transaction(self.connection)

    def retried(self, work: Callable[[], _Result]) -> _Result:
        """Do this: a file is not lost for a moment."""
        return work()

    def close(self) -> None:
        """Close the file; what was written stays."""
        self.connection.close()
