"""The journal's file: created, opened, written in turns, and checked to be the same file before each write."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from bulkupdate.errors import JournalError, StoppedError, UsageError
from bulkupdate.files import sync_folder
from bulkupdate.store.database_kind import DatabaseKind, Failure
from bulkupdate.store.journal_home import RESUME_IT
from bulkupdate.store.journal_schema import LOCK_EPOCHS, MIGRATIONS, TABLES, VERSION
from bulkupdate.store.locks import hold_lock, lock_path, take_turn
from bulkupdate.store.sqlite_file import (
    LOCK_WAIT_SECONDS,
    create_tables,
    make_private_folder,
    open_file,
    touch_private,
    transaction,
    translated_errors,
)

JOURNAL_NAME = "journal.sqlite3"

_Result = TypeVar("_Result")

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
        "Restore a backup, or move it and its log away to start a new one: {path}, {name}-wal and {name}-shm.",
    ),
    Failure.OTHER_VERSION: (
        "The journal {path} was written by another version of bulkupdate (its format is {reason}, this version's is "
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
    name="journal",
    version=VERSION,
    tables=TABLES,
    synchronous="FULL",
    error=JournalError,
    messages=_MESSAGES,
    migrations=MIGRATIONS,
    only_in_postgres=LOCK_EPOCHS,
)


class JournalFile:
    """The journal of a state folder, created if it is missing; readable by its owner only. See `JournalHome`.

    Opening it raises `JournalError` if the file cannot be written or read, `UsageError` if the folder cannot be made.
    """

    def __init__(self, folder: Path, *, checks_pages: bool) -> None:
        self.path = folder / JOURNAL_NAME
        self._folder = folder
        _make_state_folder(folder)
        with self.translated():
            if not self.path.exists():
                _create(self.path)
            self.connection = open_file(self.path, JOURNAL)
            try:
                self.connection.execute("PRAGMA foreign_keys = ON")
                if checks_pages:
                    _require_intact(self.connection)
                self._identity = _FileIdentity.of(self.path)
            except BaseException:
                self.connection.close()
                raise

    @property
    def name(self) -> str:
        """The path of the file."""
        return str(self.path)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def retried(self, work: Callable[[], _Result]) -> _Result:
        """Do this: a file is not lost for a moment."""
        return work()

    def require_whole(self) -> None:
        """Raise `JournalError` if the file was deleted, replaced, truncated or overwritten since it was opened.

        It is read through a new connection: this one may still cache pages that the file has lost.
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
        """Hold the turn to write, in one transaction; first check that the file is still the one that was opened.

        Raises `JournalError` if that file is gone: nothing more may be sent.
        """
        with self.translated():
            self._identity.require(self.path)
            with take_turn(self.path), transaction(self.connection):
                yield

    def reading(self) -> AbstractContextManager[None]:
        """Read everything inside as it is at the first query."""
        return transaction(self.connection, "DEFERRED")

    def hold_lock(self, name: str, wait_seconds: float) -> AbstractContextManager[bool]:
        """Hold a lock of the state folder; False if another process has it for longer than this."""
        return hold_lock(self._folder, name, wait_seconds)

    def is_locked(self, name: str) -> bool:
        """Return whether a process holds that lock."""
        with hold_lock(self._folder, name, 0) as is_held:
            return not is_held

    def remove_lock(self, name: str) -> None:
        """Delete the file of a lock that is no longer needed; one that cannot be deleted stays."""
        with suppress(OSError):
            lock_path(self._folder, name).unlink()

    def overwrite_deleted(self) -> None:
        """Overwrite what is deleted from now on, even if there is no room for `compact`."""
        with self.translated():
            self.connection.execute("PRAGMA secure_delete = ON")

    def compact(self, *, rewrite: bool) -> None:
        """Empty the log; with `rewrite`, write the whole file again, so that no deleted data stays in free pages."""
        with self.translated():
            if rewrite:
                self.connection.execute("VACUUM")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _require_intact(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        raise sqlite3.DatabaseError("the check of its pages failed")


def _make_state_folder(folder: Path) -> None:
    """Create the folder. Raises `UsageError` if that fails: a setting is wrong, and no run has started."""
    try:
        make_private_folder(folder)
    except OSError as error:
        raise UsageError(
            f"The state folder {folder} cannot be created: {error.strerror or error}.",
            remedy="Set BULKUPDATE_STATE_DIR to a writable folder.",
        ) from error


def _create(path: Path) -> None:
    """Create the file under another name and rename it: a file with the journal's name is complete, or damaged.

    So an emptied journal is not taken for a new one, nor the log of a lost journal for that of the new one.
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
    """The file that a connection was opened on: SQLite would keep writing to a deleted or replaced file."""

    device: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> _FileIdentity:
        """Return the identity of the file at this path. Raises `OSError`."""
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
        "known about this run.",
    )
