"""A store in PostgreSQL, which several hosts share: connecting, tables and versions, transactions, failures."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import psycopg

from bulkupdate.errors import LostConnectionError, StoppedError
from bulkupdate.redaction import Secret
from bulkupdate.store.database import ClockOffset, Connection
from bulkupdate.store.database_kind import DatabaseKind
from bulkupdate.store.postgres_connection import SCHEMA, PostgresConnection, describe_address, lock_number
from bulkupdate.store.postgres_statements import to_postgres_tables

_BACK_OFF_SECONDS = (0.1, 0.5, 1, 2, 4, 8, 15, 30)
"""Waits before each attempt to connect again."""

_TRIES_FOR_A_PAGE = 2
_MOST_LOSSES = 20

_ENDED_BY_SERVER = ("57P", "08")
"""The classes of PostgreSQL's error codes for sessions that it ends, and for failures of the connection."""

_ANSWERS = ("refused", "No such file")
"""The host answers, but no server there: words of libpq, which gives no codes."""

_Result = TypeVar("_Result")


class PostgresDatabase:
    """A store of one kind in the schema `bulkupdate`; its tables are made if they are missing. See `Database`.

    Raises the kind's error if the database cannot be used.
    """

    locks_rows = True

    def __init__(self, url: Secret, kind: DatabaseKind, *, is_patient: bool = True) -> None:
        self.name = describe_address(url)
        self._kind = kind
        self._turn = lock_number(kind.name)
        self.clock_offset = ClockOffset(-math.inf, math.inf)
        self._reconnecting = threading.Lock()
        self._waits = _BACK_OFF_SECONDS if is_patient else _BACK_OFF_SECONDS[:_TRIES_FOR_A_PAGE]
        self._url = url
        try:
            self._postgres = PostgresConnection(url)
        except psycopg.Error as error:
            raise self._describe(error, is_lost=_is_of_connection(error)) from error
        try:
            with self.translated():
                self._make_tables()
                self._compare_clocks(_READ_CLOCK)
        except BaseException:
            self.close()
            raise

    @property
    def connection(self) -> Connection:
        """Where statements are executed."""
        return self._postgres

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise failures of PostgreSQL as the error of the kind."""
        try:
            yield
        except psycopg.Error as error:
            is_lost = self._postgres.session.closed or _is_of_connection(error)
            if is_lost:
                self.close()  # a session that the server is about to end may not count as closed yet
            raise self._describe(error, is_lost=is_lost) from error

    def retried(self, work: Callable[[], _Result]) -> _Result:
        """Call a function, and again if the connection was lost and restored: for what may be done twice.

        Raises `LostConnectionError` if the database is not back within about a minute; unless `is_patient`, a second.
        """
        for _ in range(_MOST_LOSSES):
            try:
                return work()
            except LostConnectionError:
                with self._reconnecting:
                    self._reconnect()
        return work()

    def _reconnect(self) -> None:
        """Connect again, unless another thread has. Raises `LostConnectionError` if that fails each time."""
        if not self._postgres.session.closed:
            return
        failure: psycopg.Error | None = None
        for seconds in self._waits:
            time.sleep(seconds)
            try:
                self._postgres = PostgresConnection(self._url)
                return
            except psycopg.OperationalError as error:
                failure = error
        if failure is not None:
            raise self._describe(failure, is_lost=True) from failure

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Execute all statements inside, or none; other transactions of this kind wait, in the order they came."""
        with self._postgres.session.transaction():
            self._compare_clocks(_TAKE_TURN, self._turn)
            yield

    def _compare_clocks(self, statement: str, *values: int) -> None:
        """Execute a statement that ends with the database's clock."""
        asked = time.time()
        there = self._postgres.execute(statement, values).fetchone()[-1]
        self.clock_offset = self.clock_offset.refine(ClockOffset(there - time.time(), there - asked))

    def close(self) -> None:
        """Close the connection; what was written stays."""
        with suppress(psycopg.Error):
            self._postgres.session.close()

    def _make_tables(self) -> None:
        """Make the tables if they are missing, and bring those of older versions to the current one."""
        version = self._read_version()
        if version == self._kind.version:
            return
        with self.transaction():
            version = self._read_version()  # another process may have been first
            if version == self._kind.version:
                return
            if version is None:
                self._execute_all(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA};\n{_VERSIONS}")
                self._execute_all(f"{self._kind.tables};\n{self._kind.only_in_postgres}")
            elif version > self._kind.version or version not in self._kind.migrations:
                raise self._other_version(version)
            for number in range(version or self._kind.version, self._kind.version):
                self._execute_all(self._kind.migrations[number])
            self._postgres.execute(
                "INSERT INTO versions (name, version) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET version = excluded.version",
                (self._kind.name, self._kind.version),
            )

    def _read_version(self) -> int | None:
        """Return the version of the tables; None if they are missing.

        The catalogue is read, as a session that waited may not yet find a schema by name that was made meanwhile.
        """
        is_made = self._postgres.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = ? AND tablename = 'versions'", (SCHEMA,)
        )
        if not is_made.fetchone()[0]:
            return None
        query = f"SELECT version FROM {SCHEMA}.versions WHERE name = ?"  # noqa: S608 - a constant
        found = self._postgres.execute(query, (self._kind.name,)).fetchone()
        return found[0] if found else None

    def _execute_all(self, statements: str) -> None:
        for statement in to_postgres_tables(statements):
            self._postgres.execute(statement)

    def _other_version(self, version: int) -> StoppedError:
        return self._kind.error(
            f"The {self._kind.name} in the database {self.name} was written by another version of bulkupdate (its form "
            f"is {version}, this version's is {self._kind.version}).",
            remedy="Use the same version of bulkupdate on all hosts.",
        )

    def _describe(self, error: psycopg.Error, *, is_lost: bool) -> StoppedError:
        reason = " ".join(str(error).split()).replace(self._url.reveal(), self.name) or type(error).__name__
        kind = LostConnectionError if is_lost else self._kind.error
        described = kind(
            f"The {self._kind.name} in the database {self.name} cannot be used: {reason}.",
            remedy="Check that the database runs and that BULKUPDATE_DATABASE is right; `bulkupdate doctor` tries it. "
            "Then continue with `bulkupdate resume`.",
        )
        if isinstance(described, LostConnectionError):
            described.is_silent = error.sqlstate is None and not any(word in reason for word in _ANSWERS)
        return described


_READ_CLOCK = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)"
_TAKE_TURN = _READ_CLOCK.replace("SELECT", "SELECT pg_advisory_xact_lock(?),")
"""The clock is read once the lock is held."""

_VERSIONS = "CREATE TABLE IF NOT EXISTS versions (name TEXT PRIMARY KEY, version INTEGER NOT NULL)"


def _is_of_connection(error: psycopg.Error) -> bool:
    """Return whether the server ended the session, or the driver failed without an error of the server."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith(_ENDED_BY_SERVER)
