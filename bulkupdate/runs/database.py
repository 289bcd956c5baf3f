"""The journal's database file: its location, tables and transactions, and its errors as sentences."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from bulkupdate.errors import JournalError
from bulkupdate.files import sync_folder
from bulkupdate.runs.migrations import migrate_from_1

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

JOURNAL_NAME = "journal.sqlite3"
SCHEMA_VERSION = 2
LOCK_WAIT_SECONDS = 20.0

_TABLES = """
CREATE TABLE runs (
    key INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    file TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    host TEXT NOT NULL,
    username TEXT NOT NULL,
    headings TEXT NOT NULL,
    options TEXT NOT NULL,
    settings TEXT NOT NULL,
    results_path TEXT NOT NULL,
    parent TEXT,
    state TEXT NOT NULL,
    started TEXT NOT NULL,
    finished TEXT NOT NULL DEFAULT '',
    stopped_by TEXT NOT NULL DEFAULT '',
    calls INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_of_a_file ON runs (sha256);
-- What was read and checked: written once, before the first request.
CREATE TABLE inputs (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    body TEXT,
    fields TEXT NOT NULL,
    original TEXT NOT NULL,
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
-- What became of it: a small row each, written before and after its request.
CREATE TABLE rows (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    status TEXT NOT NULL,
    http_status INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    finished_at TEXT NOT NULL DEFAULT '',
    -- Whether a request of it was, or may have been, applied.
    may_be_applied INTEGER NOT NULL DEFAULT 0,
    -- The commits, in the journal's sequence, of its last intent (0: never sent) and outcome (NULL: outstanding).
    sent INTEGER NOT NULL DEFAULT 0,
    ended INTEGER,
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
CREATE INDEX rows_of_a_customer ON rows (customer_id) WHERE may_be_applied = 1;
CREATE TABLE sequence (last INTEGER NOT NULL);
INSERT INTO sequence VALUES (0);
CREATE TABLE problems (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    heading TEXT NOT NULL,
    value TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    severity TEXT NOT NULL
);
CREATE INDEX problems_of_a_run ON problems (run);
-- The live values of the fields about to be changed, kept for undo; null is a field that was empty.
CREATE TABLE snapshots (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    before TEXT NOT NULL,
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
-- Wanted values that a reading found live already: confirmed without being sent.
CREATE TABLE seen (
    run INTEGER NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
    row INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    body TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    -- Between these commits of the journal's sequence it was read.
    begun INTEGER NOT NULL DEFAULT 0,
    ended INTEGER,
    PRIMARY KEY (run, row)
) WITHOUT ROWID;
CREATE INDEX seen_of_a_customer ON seen (customer_id);
"""


def open_database(folder: Path) -> sqlite3.Connection:
    """Return the journal in this state folder, made when missing; both readable by their owner only.

    Raises `JournalError` where it cannot be used: then nothing may be sent.
    """
    path = folder / JOURNAL_NAME
    with translated_errors(path):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _create(path)
        connection = sqlite3.connect(path, timeout=LOCK_WAIT_SECONDS, isolation_level=None)
        try:
            _prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        raise sqlite3.DatabaseError("it is empty, or no journal of bulkupdate")
    if version == 1:
        with transaction(connection):
            migrate_from_1(connection)
    elif version != SCHEMA_VERSION:
        raise JournalError(
            f"The journal {path} was written by another version of bulkupdate (its form is {version}, this version's "
            f"is {SCHEMA_VERSION}). It was left as it is, and nothing was sent.",
            remedy="Use the version that wrote it, or name another folder with BULKUPDATE_STATE_DIR.",
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("the check of its pages failed")


def _create(path: Path) -> None:
    """Make the file beside its place and put it there in one step: whatever lies there is a whole journal or damaged.

    A journal that was cut to nothing is thus not taken for a new one, nor the log of a lost one for that of the new.
    """
    with FileLock(path.with_name(f"{path.name}.lock"), timeout=LOCK_WAIT_SECONDS, mode=0o600):
        if path.exists():  # another process was first
            return
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise sqlite3.DatabaseError(f"the file itself is missing, but its log {log.name} is there")
        new = path.with_name(f"{path.name}.new")
        new.unlink(missing_ok=True)
        os.close(os.open(new, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(new, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            with transaction(connection):
                for statement in _TABLES.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        new.replace(path)
        sync_folder(path.parent)


@dataclass(frozen=True)
class FileIdentity:
    """Which file a connection was opened on: SQLite goes on writing to a file that was deleted or replaced."""

    device: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> FileIdentity:
        """Return that of the file at this path. Raises `OSError`."""
        status = path.stat()
        return cls(status.st_dev, status.st_ino)

    def require(self, path: Path) -> None:
        """Raise `JournalError` if another file, or none, is at this path by now, or an emptied one."""
        try:
            status = path.stat()
        except FileNotFoundError:
            raise _vanished(path, "was deleted") from None
        if (status.st_dev, status.st_ino) != (self.device, self.inode):
            raise _vanished(path, "was replaced")
        if not status.st_size:
            raise _vanished(path, "was emptied")


@contextmanager
def take_turn(path: Path) -> Iterator[None]:
    """Hold the turn to write: connections that want to write get it in the order they ask.

    SQLite's own waiting is by chance: one that writes much in short transactions would keep the others out for
    seconds. Where the system has no such lock (Windows), SQLite's waiting has to do.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(path.with_name(f"{path.name}.turn"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Execute all of the statements inside, or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def translated_errors(path: Path) -> Iterator[None]:
    """Every failure of SQLite or of the disk as a `JournalError` that says what to do."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _explain(path, error) from error
    except Timeout as error:
        raise _locked(path) from error
    except OSError as error:
        raise JournalError(
            f"The journal {path} cannot be opened: {error.strerror or error}.",
            remedy="Make the folder writable, or name another one with BULKUPDATE_STATE_DIR.",
        ) from error


def _explain(path: Path, error: sqlite3.DatabaseError) -> JournalError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without the extended bits
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return _locked(path)
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return JournalError(
            f"The journal {path} cannot be written: {error}. No further row was sent.",
            remedy="Free some space on the disk, then continue with `bulkupdate resume`.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR):
        return _damaged(path, str(error))
    return JournalError(
        f"The journal {path} cannot be used: {error}.",
        remedy="Make the file and its folder writable, then continue with `bulkupdate resume`.",
    )


def _locked(path: Path) -> JournalError:
    return JournalError(
        f"The journal {path} has been locked by another program for {LOCK_WAIT_SECONDS:.0f} seconds.",
        remedy="Close the program that has it open (a database browser, a backup), then continue with "
        "`bulkupdate resume`.",
    )


def _vanished(path: Path, what: str) -> JournalError:
    return JournalError(
        f"The journal {path} {what} while the run was sending. No further row was sent.",
        remedy="Put the file back and continue with `bulkupdate resume`. Without it, the results file has what is "
        "known of this run.",
    )


def _damaged(path: Path, reason: str) -> JournalError:
    return JournalError(
        f"The journal {path} is damaged ({reason}). It was left as it is, and nothing was sent.",
        remedy=f"Put back a copy of it, or move it away with its log, to begin a new one: {path}, {path.name}-wal and "
        f"{path.name}-shm.",
    )
