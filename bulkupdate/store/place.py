"""Open a store where the settings say that it lives: in a file of the state folder, or in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bulkupdate.errors import UsageError
from bulkupdate.redaction import Secret
from bulkupdate.store.database import Database
from bulkupdate.store.database_kind import DatabaseKind
from bulkupdate.store.journal_file import JournalFile
from bulkupdate.store.journal_home import JournalHome
from bulkupdate.store.sqlite_file import SqliteDatabase

Place = Path | Secret
"""The state folder, or the address of a PostgreSQL database, which may hold a password."""


def open_journal_home(place: Place, *, checks_pages: bool, is_patient: bool = True) -> JournalHome:
    """Open the journal, which is created if it is missing.

    `checks_pages`: look at the whole file. `is_patient`: wait a minute for a database whose connection was lost.
    """
    if isinstance(place, Secret):
        with explained_if_missing():
            from bulkupdate.store.journal_database import JournalDatabase  # psycopg is an optional extra
        return JournalDatabase(place, is_patient=is_patient)
    return JournalFile(place, checks_pages=checks_pages)


def open_database(place: Place, file_name: str, kind: DatabaseKind) -> Database:
    """Open another store, which is created if it is missing. Raises the error of its kind."""
    if isinstance(place, Secret):
        with explained_if_missing():
            from bulkupdate.store.postgres_database import PostgresDatabase  # psycopg is an optional extra
        return PostgresDatabase(place, kind)
    return SqliteDatabase(place / file_name, kind)


@contextmanager
def explained_if_missing() -> Iterator[None]:
    """Raise `UsageError` if a package is not installed."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise UsageError(
            f"BULKUPDATE_DATABASE is set, but {missing.name} is not installed.",
            remedy="Install it with `pip install 'bulkupdate[postgres]'`, or unset BULKUPDATE_DATABASE.",
        ) from missing
