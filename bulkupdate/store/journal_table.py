"""What all tables of the journal have in common, in whichever home they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from bulkupdate.chunks import in_chunks
from bulkupdate.store.database import Connection
from bulkupdate.store.journal_home import JournalHome

_Item = TypeVar("_Item")

_ROWS_IN_A_COMMIT = 4000
"""Rows written in one go: some hundredths of a second, in which no other run can write."""


class JournalTable:
    """Some of the journal's tables, with the statements that read and write them. Each thread opens its own journal.

    Every method raises `JournalError` if the journal cannot be written or read: then nothing may be sent.
    """

    def __init__(self, home: JournalHome) -> None:
        self.home = home

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the journal; what was recorded stays."""
        self.home.close()

    @property
    def connection(self) -> Connection:
        """Where statements are executed."""
        return self.home.connection

    def writing(self) -> AbstractContextManager[None]:
        """Hold the turn to write, in one transaction."""
        return self.home.writing()

    def select(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return all that a query finds."""

        def read() -> list[tuple[Any, ...]]:
            with self.home.translated():
                return self.connection.execute(query, values).fetchall()

        return self.home.retried(read)

    def write_in_parts(self, items: Iterable[_Item], write: Callable[[list[_Item]], object]) -> None:
        """Write the items a few thousand at a time, each part in a transaction of its own.

        The items are made outside of the transaction, and other processes get their turn after each.
        """
        for part in in_chunks(items, _ROWS_IN_A_COMMIT):
            with self.writing():
                write(part)

    def execute_in_parts(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Execute a statement, which may be executed twice, for each of these rows, a few thousand in a transaction."""
        for part in in_chunks(rows, _ROWS_IN_A_COMMIT):
            self.home.retried(partial(self._execute_all, statement, part))

    def execute(self, statement: str, *values: object) -> None:
        """Execute a statement, which may be executed twice, in a transaction of its own."""
        self.home.retried(lambda: self._execute_all(statement, [values]))

    def _execute_all(self, statement: str, rows: list[Sequence[Any]]) -> None:
        with self.writing():
            self.connection.executemany(statement, rows)

    def delete_in_parts(self, table: str, run_key: int) -> None:
        """Delete a run's rows of a table, a few thousand in a transaction."""
        column = "rowid" if table == "problems" else "row"
        part = f"SELECT {column} FROM {table} WHERE run = ?1 LIMIT {_ROWS_IN_A_COMMIT}"  # noqa: S608 - only constants
        statement = f"DELETE FROM {table} WHERE run = ?1 AND {column} IN ({part})"  # noqa: S608 - only constants
        deleted = _ROWS_IN_A_COMMIT
        while deleted >= _ROWS_IN_A_COMMIT:
            with self.writing():
                deleted = self.connection.execute(statement, (run_key,)).rowcount
