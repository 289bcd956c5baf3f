"""A session of PostgreSQL: how it is opened, and that no pooler shares it with other clients."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bulkupdate.redaction import Secret
from bulkupdate.store.database import Cursor
from bulkupdate.store.postgres_statements import to_postgres, to_postgres_values

SCHEMA = "bulkupdate"

_CONNECTION = {
    "autocommit": True,
    "connect_timeout": 10,
    "application_name": "bulkupdate",
    "cursor_factory": psycopg.RawCursor,
    # A server or network that is gone is noticed within half a minute; within ten seconds if something is asked of it.
    "keepalives": 1, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}  # fmt: skip

_SESSION = {
    "search_path": SCHEMA,
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "60s",
    # The server notices within half a minute that a client is gone, and frees its locks.
    "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}  # fmt: skip
_BEGIN_SESSION = "SELECT pg_backend_pid(), " + ", ".join(
    f"set_config('{name}', '{value}', false)" for name, value in _SESSION.items()
)
"""Not options of the connection, which poolers refuse."""

_POOLER_TRIES = 3


class PostgresConnection:
    """Executes the shared statements in PostgreSQL. See `Connection`.

    Raises `psycopg.Error` if there is no connection, or none that keeps one session.
    """

    def __init__(self, url: Secret) -> None:
        self.session = psycopg.connect(url.reveal(), **_CONNECTION)  # type: ignore[arg-type]
        self.session.prepare_threshold = 2
        try:
            process = self.session.execute(_BEGIN_SESSION).fetchone()[0]  # type: ignore[index]
            if process != self.session.info.backend_pid:  # a pooler tells its clients numbers of its own
                self._require_own_session(url, process)
        except BaseException:
            self.session.close()
            raise

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> Cursor:
        """Execute a statement."""
        return self.session.execute(to_postgres(statement), to_postgres_values(values))

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Execute a statement once for the values of each row."""
        with self.session.cursor() as cursor:
            cursor.executemany(to_postgres(statement), map(to_postgres_values, rows))

    def _require_own_session(self, url: Secret, process: int) -> None:
        """Raise `psycopg.NotSupportedError` if another client gets the process of the server that this one has."""
        with closing(psycopg.connect(url.reveal(), **_CONNECTION)) as other:  # type: ignore[arg-type]
            for _ in range(_POOLER_TRIES):
                with other.transaction():
                    is_shared = _find_process(other) == process or _find_process(self.session) != process
                if is_shared:
                    raise psycopg.NotSupportedError(
                        "a pooler gives its sessions to several clients; set it to session pooling (pool_mode=session)"
                    )


def _find_process(session: psycopg.Connection[Any]) -> int:
    return int(session.execute("SELECT pg_backend_pid()").fetchone()[0])  # type: ignore[index]


def lock_number(name: str) -> int:
    """Return the number of the advisory lock of that name."""
    return int.from_bytes(hashlib.sha256(f"{SCHEMA}/{name}".encode()).digest()[:8], signed=True)


def describe_address(url: Secret) -> str:
    """Return the address of a database without user name, password and options."""
    parts = urlsplit(url.reveal())
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"
