"""Whether a database of PostgreSQL is fit to be shared by several hosts, for `doctor`."""

from __future__ import annotations

import time
from contextlib import closing

from bulkupdate.errors import StoppedError
from bulkupdate.redaction import Secret
from bulkupdate.store.audit_log import AUDIT
from bulkupdate.store.database import Connection
from bulkupdate.store.journal_file import JOURNAL
from bulkupdate.store.postgres_connection import SCHEMA
from bulkupdate.store.postgres_database import PostgresDatabase
from bulkupdate.store.quota_file import QUOTA
from bulkupdate.store.shared_store import NOW, SHARED

OLDEST_VERSION = 13
LARGEST_SKEW_SECONDS = 5.0

_TABLES = f"FROM pg_class WHERE relnamespace = '{SCHEMA}'::regnamespace"
_FORBIDDEN = f"""
SELECT string_agg(relname || ': ' || wanted, ', ' ORDER BY relname, wanted) {_TABLES}
AND relkind = 'r' AND NOT has_table_privilege(oid, wanted)
""".replace("WHERE", "CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted WHERE")
_OTHER_COLLATION = f"""
SELECT count(*) FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
JOIN pg_collation AS l ON l.oid = a.attcollation
WHERE c.relnamespace = '{SCHEMA}'::regnamespace AND c.relkind = 'r' AND l.collname != 'C'
"""  # noqa: S608 - a constant
_MAY_DROP = f"SELECT coalesce(bool_or(pg_has_role(relowner, 'USAGE')), false) {_TABLES} AND relkind = 'r'"
_ABOUT = (
    "SELECT CAST(current_setting('server_version_num') AS INTEGER), current_setting('server_encoding'), current_user"
)


def check_database(url: Secret) -> str:
    """Return a sentence about the database; its tables are made if they are missing.

    Raises `StoppedError` for the first thing that is wrong with it.
    """
    for kind in (JOURNAL, QUOTA, AUDIT):
        PostgresDatabase(url, kind).close()
    with closing(PostgresDatabase(url, SHARED)) as database, database.translated():
        return _check(database.connection, database.name)


def _check(connection: Connection, name: str) -> str:
    version, encoding, user = connection.execute(_ABOUT).fetchone()
    if version < OLDEST_VERSION * 10_000:
        raise StoppedError(f"{name} is PostgreSQL {version // 10_000}.", remedy=f"Use {OLDEST_VERSION} or newer.")
    if encoding != "UTF8":
        raise StoppedError(f"The encoding of {name} is {encoding}.", remedy="Make a database with the encoding UTF8.")
    if connection.execute(_OTHER_COLLATION).fetchone()[0]:
        raise StoppedError(
            f'Texts in {name} are not sorted by COLLATE "C".', remedy="Move the store to a new database."
        )
    if forbidden := connection.execute(_FORBIDDEN).fetchone()[0]:
        raise StoppedError(
            f"The role {user} lacks rights in {name}: {forbidden}.",
            remedy=f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO {user};",
        )
    skew = _measure_skew(connection)
    if abs(skew) > LARGEST_SKEW_SECONDS:
        direction = "behind" if skew > 0 else "ahead of"
        raise StoppedError(
            f"The clock of this host is {abs(skew):.0f} seconds {direction} that of {name}.",
            remedy="Set it by NTP on both. The quota is counted by the database's clock, so it is kept all the same.",
        )
    can_drop = "may drop tables" if connection.execute(_MAY_DROP).fetchone()[0] else "cannot drop tables"
    about = f"{name} is PostgreSQL {version // 10_000}, {encoding}"
    return f"{about}; the clocks differ by {abs(skew):.1f} s; the role {user} {can_drop}"


def _measure_skew(connection: Connection) -> float:
    """Return the seconds by which the database's clock is ahead."""
    before = time.time()
    there = float(connection.execute(f"SELECT {NOW}").fetchone()[0])
    return there - (before + time.time()) / 2
