"""Copy journal, quota and audit from one home to another: from files to PostgreSQL, or back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from bulkupdate.chunks import in_chunks
from bulkupdate.errors import BusyError, UsageError
from bulkupdate.redaction import Secret
from bulkupdate.store.audit_log import AUDIT, AUDIT_NAME
from bulkupdate.store.database import Connection, Database
from bulkupdate.store.database_kind import DatabaseKind
from bulkupdate.store.journal_file import JOURNAL
from bulkupdate.store.journal_home import JournalHome
from bulkupdate.store.place import Place, open_database, open_journal_home
from bulkupdate.store.quota_file import QUOTA, QUOTA_NAME

_TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)")
_ROWS_AT_A_TIME = 4000
_NUMBERED = ("runs", "searches")
"""The tables whose rows keep their numbers, from which the database has to count on."""


def copy_store(source: Place, target: Place) -> dict[str, int]:
    """Copy everything; return the number of rows of each table. The source stays as it is.

    Raises `BusyError` while a run is being sent, and `UsageError` if the target has runs already.
    """
    with (
        closing(open_journal_home(source, checks_pages=True)) as old,
        closing(open_journal_home(target, checks_pages=True)) as new,
        old.writing(),  # nothing is recorded meanwhile
        new.writing(),
    ):
        _require_idle(old)
        if new.connection.execute("SELECT count(*) FROM runs").fetchone()[0]:
            raise UsageError(f"{new.name} has runs already: nothing was copied.", remedy="Name an empty database.")
        copied = _copy_journal(old.connection, new.connection, is_postgres=isinstance(target, Secret))
        for file_name, kind, copy in ((QUOTA_NAME, QUOTA, _copy_quota), (AUDIT_NAME, AUDIT, _copy_audit)):
            copied |= _copy_database(source, target, file_name, kind, copy)
    return copied


def _require_idle(home: JournalHome) -> None:
    running = home.connection.execute("SELECT id FROM runs WHERE state IN ('running', 'loading')").fetchall()
    for (run_id,) in running:
        if home.is_locked(run_id):
            raise BusyError(f"Run {run_id} is being sent: nothing was copied.", remedy="`bulkupdate stop` stops it.")


def _copy_journal(old: Connection, new: Connection, *, is_postgres: bool) -> dict[str, int]:
    copied = {}
    new.execute("DELETE FROM sequence")
    for table in _TABLE.findall(JOURNAL.tables):
        copied[table] = _insert(new, table, _list_columns(old, table), _read_rows(old, table))
        if is_postgres and table in _NUMBERED:
            last = f"(SELECT coalesce(max(key), 0) + 1 FROM {table})"  # noqa: S608 - a constant
            new.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'key'), {last}, false)")
    return copied


def _read_rows(old: Connection, table: str) -> Iterator[Sequence[Any]]:
    """Yield the rows of a table of the journal, those of one run at a time."""
    columns = _list_columns(old, table)
    query = f"SELECT {', '.join(columns)} FROM {table}"  # noqa: S608 - names of our own
    order = "rowid" if table == "problems" else "1, 2" if len(columns) > 1 else "1"
    if "run" not in columns:
        yield from old.execute(f"{query} ORDER BY {order}").fetchall()
        return
    for (key,) in old.execute("SELECT key FROM runs ORDER BY key").fetchall():
        yield from old.execute(f"{query} WHERE run = ? ORDER BY {order}", (key,)).fetchall()


def _copy_database(
    source: Place, target: Place, file_name: str, kind: DatabaseKind, copy: Callable[[Database, Database], int]
) -> dict[str, int]:
    with (
        closing(open_database(source, file_name, kind)) as old,
        closing(open_database(target, file_name, kind)) as new,
        old.translated(),
        new.translated(),
        old.transaction(),
        new.transaction(),
    ):
        return {kind.name: copy(old, new)}


def _copy_quota(old: Database, new: Database) -> int:
    """Copy which slots are taken; their times are those of each database's clock."""
    count, later = 0, new.clock_offset.most - old.clock_offset.least
    for key, name, used in old.connection.execute("SELECT id, name, used FROM allowance").fetchall():
        put = "INSERT INTO allowance (name, used) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET used = allowance.used"
        new.connection.execute(f"{put} + excluded.used", (name, used))
        found = new.connection.execute("SELECT id FROM allowance WHERE name = ?", (name,)).fetchone()
        spent = old.connection.execute("SELECT free_at FROM spent WHERE allowance = ?", (key,)).fetchall()
        rows = ((found[0], free_at + later) for (free_at,) in spent)
        count += _insert(new.connection, "spent", ("allowance", "free_at"), rows)
    return count


def _copy_audit(old: Database, new: Database) -> int:
    columns = ("at", "event", '"user"', "address", "about")
    query = f"SELECT {', '.join(columns)} FROM events ORDER BY key"  # noqa: S608 - constants
    return _insert(new.connection, "events", columns, old.connection.execute(query).fetchall())


def _insert(new: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - names of our own
    count = 0
    for part in in_chunks(rows, _ROWS_AT_A_TIME):
        new.executemany(statement, part)
        count += len(part)
    return count


def _list_columns(connection: Connection, table: str) -> tuple[str, ...]:
    described = connection.execute(f"SELECT * FROM {table} LIMIT 0").description  # noqa: S608 - a name of our own
    return tuple(column[0] for column in described if column[0] != "rowid")
