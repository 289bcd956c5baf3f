"""The journal's file: created, opened, written in turn, and found to be the same one before each write."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from filelock import FileLock, Timeout

from bulkupdate.errors import JournalError, StoppedError, UsageError
from bulkupdate.files import sync_folder
from bulkupdate.store.journal_schema import MIGRATIONS, TABLES, VERSION
from bulkupdate.store.locks import take_turn
from bulkupdate.store.sqlite_file import (
    LOCK_WAIT_SECONDS,
    DatabaseKind,
    Failure,
    create_tables,
    make_private_folder,
    open_file,
    touch_private,
    transaction,
    translated_errors,
)

JOURNAL_NAME = "journal.sqlite3"

_Item = TypeVar("_Item")

_ROWS_IN_A_COMMIT = 4000
"""Rows written in one go: some hundredths of a second, in which no other run can write."""

RESUME_IT = "continue with `bulkupdate resume`"
"""How each remedy of a run that had begun ends."""

_MESSAGES = {
    Failure.LOCKED: (
        f"The journal {{path}} has been locked by another program for {LOCK_WAIT_SECONDS:.0f} seconds.",
        f"Close the program that has it open (a database browser, a backup), then {RESUME_IT}.",
    ),
    Failure.FULL: (
        "The journal {path} cannot be written: {reason}. No further row was sent.",
        f"Free some space on the disk, then {RESUME_IT}.",
    ),
    Failure.DAMAGED: (
        "The journal {path} is damaged ({reason}). It was left as it is, and no further row was sent.",
        "Put back a copy of it, or move it away with its log, to begin a new one: {path}, {name}-wal and {name}-shm.",
    ),
    Failure.OTHER_VERSION: (
        "The journal {path} was written by another version of bulkupdate (its form is {reason}, this version's is "
        "{version}). It was left as it is, and nothing was sent.",
        "Use the version that wrote it, or name another folder with BULKUPDATE_STATE_DIR.",
    ),
    Failure.UNUSABLE: (
        "The journal {path} cannot be used: {reason}.",
        f"Make the file and its folder writable, then {RESUME_IT}.",
    ),
    Failure.UNREACHABLE: (
        "The journal {path} cannot be opened: {reason}.",
        "Make the folder writable, or name another one with BULKUPDATE_STATE_DIR.",
    ),
}

JOURNAL = DatabaseKind(
    version=VERSION,
    tables=TABLES,
    synchronous="FULL",
    error=JournalError,
    messages=_MESSAGES,
    migrations=MIGRATIONS,
)


class JournalFile:
    """The journal of a state folder, created if it is missing; readable by its owner only. Each thread opens its own.

    Every method raises `JournalError` if the file cannot be written or read: then nothing may be sent. Opening it
    raises `UsageError` if the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / JOURNAL_NAME
        _make_state_folder(folder)
        with self.translated():
            if not self.path.exists():
                _create(self.path)
            self.connection = open_file(self.path, JOURNAL)
            try:
                self._prepare()
                self._identity = _FileIdentity.of(self.path)
            except BaseException:
                self.connection.close()
                raise

    def _prepare(self) -> None:
        self.connection.execute("PRAGMA foreign_keys = ON")
        _require_intact(self.connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was recorded stays."""
        self.connection.close()

    def require_whole(self) -> None:
        """Raise `JournalError` if the file was deleted, replaced, cut or overwritten since it was opened.

        It is read by a new connection: this one may still hold pages that the file has lost.
        """
        with self.translated():
            self._identity.require(self.path)
            with closing(open_file(self.path, JOURNAL)) as connection:
                _require_intact(connection)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise failures of SQLite and of the disk as `JournalError`."""
        with translated_errors(self.path, JOURNAL):
            yield

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the turn to write, in one transaction on the file that was opened.

        Raises `JournalError` if that file is gone: nothing more may be sent.
        """
        with self.translated():
            self._identity.require(self.path)
            with take_turn(self.path), transaction(self.connection):
                yield

    def select(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all that a query finds."""
        with self.translated():
            return self.connection.execute(query, values).fetchall()

    def write_in_parts(self, items: Iterable[_Item], write: Callable[[list[_Item]], object]) -> None:
        """Write the items a few thousand at a time, each part in a transaction of its own.

        The items are made outside of the transaction, and other processes get their turn after each.
        """
        remaining = iter(items)
        while part := list(islice(remaining, _ROWS_IN_A_COMMIT)):
            with self.writing():
                write(part)

    def execute_in_parts(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement for each of these rows, a few thousand in a transaction."""
        self.write_in_parts(rows, lambda part: self.connection.executemany(statement, part))

    def delete_in_parts(self, table: str, run_key: int) -> None:
        """Delete a run's rows of a table, a few thousand in a transaction."""
        column = "rowid" if table == "problems" else "row"
        part = f"SELECT {column} FROM {table} WHERE run = ?1 LIMIT {_ROWS_IN_A_COMMIT}"  # noqa: S608 - only constants
        statement = f"DELETE FROM {table} WHERE run = ?1 AND {column} IN ({part})"  # noqa: S608 - only constants
        deleted = _ROWS_IN_A_COMMIT
        while deleted == _ROWS_IN_A_COMMIT:
            with self.writing():
                deleted = self.connection.execute(statement, (run_key,)).rowcount

    def compact(self, *, rewrite: bool) -> None:
        """Empty the log; with `rewrite`, write the whole file again, so that nothing deleted stays in free pages."""
        with self.translated():
            if rewrite:
                self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _require_intact(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("the check of its pages failed")


def _make_state_folder(folder: Path) -> None:
    """Raise `UsageError` if it cannot be made: a setting is wrong, and no run has begun."""
    try:
        make_private_folder(folder)
    except OSError as error:
        raise UsageError(
            f"The state folder {folder} cannot be made: {error.strerror or error}.",
            remedy="Name a folder that can be written, with BULKUPDATE_STATE_DIR.",
        ) from error


def _create(path: Path) -> None:
    """Make the file beside its place and put it there in one step: whatever lies there is a whole journal or damaged.

    A journal that was cut to nothing is thus not taken for a new one, nor the log of a lost one for that of the new.
    """
    try:
        with FileLock(path.with_name(f"{path.name}.lock"), timeout=LOCK_WAIT_SECONDS, mode=0o600):
            if path.exists():  # another process was first
                return
            log = path.with_name(f"{path.name}-wal")
            if log.exists() and log.stat().st_size:
                raise sqlite3.DatabaseError(f"the file itself is missing, but its log {log.name} is there")
            new = path.with_name(f"{path.name}.new")
            new.unlink(missing_ok=True)
            touch_private(new)
            create_tables(new, JOURNAL)
            new.replace(path)
            sync_folder(path.parent)
    except Timeout as error:
        raise JOURNAL.describe(path, Failure.LOCKED) from error


@dataclass(frozen=True)
class _FileIdentity:
    """Which file a connection was opened on: SQLite keeps writing to a file that was deleted or replaced."""

    device: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> _FileIdentity:
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


def _vanished(path: Path, what: str) -> StoppedError:
    return JournalError(
        f"The journal {path} {what} while the run was sending. No further row was sent.",
        remedy="Put the file back and continue with `bulkupdate resume`. Without it, the results file has what is "
        "known of this run.",
    )
