"""A session of PostgreSQL must be this process's own, as the locks of runs are kept in it."""

from __future__ import annotations

import pytest

from bulkupdate.errors import JournalError
from bulkupdate.store.place import open_journal_home
from tests.postgres import find_program, run_pooler, run_postgres

pytestmark = pytest.mark.skipif(find_program("initdb") is None, reason="PostgreSQL is not installed")


@pytest.mark.skipif(find_program("pgbouncer") is None, reason="PgBouncer is not installed")
def test_a_pooler_has_to_keep_a_session_for_each_client() -> None:
    with run_postgres() as postgres:
        database = postgres.make_database()
        with run_pooler(postgres, database, "session") as address:
            home = open_journal_home(address, checks_pages=False)
            with home.hold_lock("run", 0) as is_held:
                assert is_held
            home.close()
        with run_pooler(postgres, database, "transaction") as address, pytest.raises(JournalError, match="pool_mode"):
            open_journal_home(address, checks_pages=False)
