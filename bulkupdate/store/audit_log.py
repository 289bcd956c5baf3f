"""The audit: who signed in, and who started, stopped, undid, purged or downloaded what. No customer data.

It is a separate file, so that recording an event never makes a run wait.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass

from bulkupdate.clock import Clock, format_utc
from bulkupdate.errors import StoppedError
from bulkupdate.store.database import Connection
from bulkupdate.store.database_kind import DatabaseKind, Failure
from bulkupdate.store.place import Place, open_database
from bulkupdate.text import fold_whitespace, truncate

log = logging.getLogger("bulkupdate.audit")

AUDIT_NAME = "audit.sqlite3"
_MAX_TEXT = 200

_TABLES = """
CREATE TABLE events (key INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, event TEXT NOT NULL, "user" TEXT NOT NULL,
    address TEXT NOT NULL, about TEXT NOT NULL)
"""
_GUARDS = """
CREATE TRIGGER never_changed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are only appended'); END;
CREATE TRIGGER never_deleted BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are only appended'); END
"""
_RULES = """
CREATE RULE never_changed AS ON UPDATE TO events DO INSTEAD NOTHING;
CREATE RULE never_deleted AS ON DELETE TO events DO INSTEAD NOTHING
"""
_UNUSABLE = ("The audit {path} cannot be used: {reason}.", "Make it readable and writable, or move it away.")

AUDIT = DatabaseKind(
    name="audit",
    version=1,
    tables=_TABLES,
    synchronous="NORMAL",
    error=StoppedError,
    messages=dict.fromkeys(Failure, _UNUSABLE),
    is_made_in_place=True,
    only_in_sqlite=_GUARDS,
    only_in_postgres=_RULES,
)


@dataclass(frozen=True)
class AuditEvent:
    """An event, `at` a time (ISO 8601, UTC). `about` is the id of a run or sheet, or the user it was done to."""

    at: str
    event: str
    user: str = ""
    address: str = ""
    about: str = ""


class AuditLog:
    """The audit of a store, to which events are only appended. Thread-safe."""

    def __init__(self, place: Place, clock: Clock) -> None:
        self._place = place
        self._clock = clock

    def record(self, event: str, *, user: str = "", address: str = "", about: str = "") -> None:
        """Append an event. Never raises: if it cannot be recorded, that is logged."""
        texts = (truncate(fold_whitespace(text), _MAX_TEXT) for text in (event, user, address, about))
        try:
            with self._open() as connection:
                values = astuple(AuditEvent(format_utc(self._clock.now()), *texts))
                connection.execute(
                    'INSERT INTO events (at, event, "user", address, about) VALUES (?, ?, ?, ?, ?)', values
                )
        except StoppedError as unusable:
            log.error("%s", unusable)

    def read(self, most: int) -> list[AuditEvent]:
        """Return the last events, newest first. Raises `StoppedError`."""
        with self._open() as connection:
            query = 'SELECT at, event, "user", address, about FROM events ORDER BY key DESC LIMIT ?'
            return [AuditEvent(*columns) for columns in connection.execute(query, (most,)).fetchall()]

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        with closing(open_database(self._place, AUDIT_NAME, AUDIT)) as database, database.translated():
            yield database.connection
