"""The journal in PostgreSQL, shared by several hosts: its locks die with the connection of the process that sends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bulkupdate.errors import JournalError, LostConnectionError
from bulkupdate.redaction import Secret
from bulkupdate.store.journal_file import JOURNAL
from bulkupdate.store.postgres_connection import lock_number
from bulkupdate.store.postgres_database import PostgresDatabase

_LOCK_POLL_SECONDS = 0.05
_LOST_SESSION_SECONDS = 35.0
_RESTORE_TRIES = 3

_HOLDERS = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND ((CAST(classid AS bigint) << 32) | CAST(objid AS bigint)) = ?
"""


_NEXT_EPOCH = """
INSERT INTO lock_epochs (name, epoch) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET epoch = lock_epochs.epoch + 1
RETURNING epoch
"""
"""Each holder of a lock has its own number, so that one that has lost it without noticing cannot write."""


class JournalDatabase(PostgresDatabase):
    """The journal in PostgreSQL. See `JournalHome`.

    A lock is an advisory lock of the journal's own session: whoever loses the connection loses the lock, and cannot
    write anymore. Sessions must not be shared: a pooler has to keep one for each client.
    """

    def __init__(self, url: Secret, *, is_patient: bool = True) -> None:
        self._epochs: dict[str, int] = {}
        super().__init__(url, JOURNAL, is_patient=is_patient)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the turn to write, in one transaction.

        Raises `JournalError` if another process has taken a lock over.
        """
        with self.translated(), self.transaction():
            for name, epoch in self._epochs.items():
                if self._read_epoch(name) != epoch:
                    raise self._taken_over(name)
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read everything inside as it is at the first query."""
        with self.translated(), self._postgres.session.transaction():
            self.connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield

    def _reconnect(self) -> None:
        """Connect again, and take the locks again that were lost with the connection, unless another process has."""
        for _ in range(_RESTORE_TRIES):
            super()._reconnect()
            with suppress(LostConnectionError):  # it was lost once more
                return self._take_all_again()
        super()._reconnect()
        return self._take_all_again()

    def _take_all_again(self) -> None:
        for name, epoch in self._epochs.items():
            with self.translated():
                is_ours = self._take_again(name, epoch)
            if not is_ours:
                raise self._taken_over(name)

    def _take_again(self, name: str, epoch: int) -> bool:
        """Return whether the lock could be taken again before anybody else took it.

        The server may not have noticed yet that the lost session is gone, which then still holds it.
        """
        deadline = time.monotonic() + _LOST_SESSION_SECONDS
        while self._read_epoch(name) == epoch and time.monotonic() < deadline:
            if self._take_lock(name):
                return self._read_epoch(name) == epoch
            time.sleep(_LOCK_POLL_SECONDS)
        return False

    def _read_epoch(self, name: str) -> int:
        return int(self.connection.execute("SELECT epoch FROM lock_epochs WHERE name = ?", (name,)).fetchone()[0])

    def _taken_over(self, name: str) -> JournalError:
        return JournalError(
            f"The connection to the database {self.name} was lost, and another process has taken over {name} since.",
            remedy=f"It continues the run: `bulkupdate show {name}` shows how far it is.",
        )

    def require_whole(self) -> None:
        """Raise `JournalError` if the connection is lost and cannot be restored, or a lock with it."""
        self.retried(self._read_sequence)

    def _read_sequence(self) -> None:
        with self.translated():
            self.connection.execute("SELECT last FROM sequence")

    @contextmanager
    def hold_lock(self, name: str, wait_seconds: float) -> Iterator[bool]:
        """Hold the lock of that name; False if another session has it for longer than this."""
        number, deadline = lock_number(name), time.monotonic() + wait_seconds
        while not (is_held := self.retried(lambda: self._try_lock(name))) and time.monotonic() < deadline:
            time.sleep(_LOCK_POLL_SECONDS)
        if not is_held:
            yield False
            return
        try:
            yield True
        finally:
            del self._epochs[name]
            with suppress(JournalError), self.translated():  # it is gone with the connection
                self.connection.execute("SELECT pg_advisory_unlock(?)", (number,))

    def _try_lock(self, name: str) -> bool:
        with self.translated():
            is_taken = self._take_lock(name)
            if is_taken:
                self._epochs[name] = self.connection.execute(_NEXT_EPOCH, (name,)).fetchone()[0]
            return is_taken

    def _take_lock(self, name: str) -> bool:
        number = lock_number(name)
        if self._count_holders(number):  # a session could take its own lock twice
            return False
        return bool(self.connection.execute("SELECT pg_try_advisory_lock(?)", (number,)).fetchone()[0])

    def is_locked(self, name: str) -> bool:
        """Return whether a session holds that lock."""
        return self.retried(lambda: self._find_holder(name))

    def _find_holder(self, name: str) -> bool:
        with self.translated():
            return self._count_holders(lock_number(name)) > 0

    def _count_holders(self, number: int) -> int:
        return int(self.connection.execute(_HOLDERS, (number,)).fetchone()[0])

    def remove_lock(self, name: str) -> None:
        """Delete the number of the lock's last holder."""
        with self.writing():
            self.connection.execute("DELETE FROM lock_epochs WHERE name = ?", (name,))

    def overwrite_deleted(self) -> None:
        """Do nothing: `compact` writes the tables again."""

    def compact(self, *, rewrite: bool) -> None:
        """Give back the space of what was deleted; with `rewrite`, write the tables again without it."""
        with self.translated():
            self.connection.execute("VACUUM FULL" if rewrite else "VACUUM")
