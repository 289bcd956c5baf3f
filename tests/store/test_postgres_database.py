"""The tables in PostgreSQL: their versions, and who may do what with them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import JournalError
from bulkupdate.redaction import Secret
from bulkupdate.runs.journal import Journal
from bulkupdate.store.journal_database import JournalDatabase
from bulkupdate.store.journal_home import JournalHome
from bulkupdate.store.journal_schema import VERSION
from bulkupdate.store.place import open_journal_home
from bulkupdate.store.postgres_connection import PostgresConnection
from bulkupdate.store.shared_store import SharedStore
from tests.conftest import FIRST, Program, find_puts, finish, write_sheet
from tests.postgres import Postgres, find_program, run_postgres
from tests.warm import PROJECT

pytestmark = pytest.mark.skipif(find_program("initdb") is None, reason="PostgreSQL is not installed")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with run_postgres() as postgres:
        yield postgres


def execute(database: Secret, statements: str) -> None:
    with psycopg.connect(database.reveal(), autocommit=True) as session:
        session.execute("SET search_path = bulkupdate")
        session.execute(statements)  # type: ignore[arg-type]


def test_tables_of_version_7_are_brought_to_this_version(
    postgres: Postgres, run_program: Program, tmp_path: Path
) -> None:
    database = postgres.make_database()
    run_program.environment["BULKUPDATE_DATABASE"] = database.reveal()
    assert run_program("run", write_sheet(run_program.folder / "in.csv", 3), "--yes").exit_code == 0
    columns = "DROP COLUMN machine, DROP COLUMN stop_asked"
    execute(database, f"ALTER TABLE runs {columns}; UPDATE versions SET version = 7 WHERE name = 'journal'")
    assert run_program("show").counts == {"updated": 3}
    execute(database, f"UPDATE versions SET version = {VERSION + 1} WHERE name = 'journal'")
    with pytest.raises(JournalError, match="another version"):
        Journal(database, Clock())


def test_a_journal_moves_into_a_database_and_back_and_its_runs_continue(
    postgres: Postgres, run_program: Program, sandbox: Any, tmp_path: Path
) -> None:
    database = postgres.make_database()
    on_files = {name: text for name, text in run_program.environment.items() if name != "BULKUPDATE_DATABASE"}
    run_program.environment = on_files
    assert run_program("run", write_sheet(tmp_path / "in.csv", 5, word="~a"), "--yes", "--limit", 2).exit_code == 1
    before = run_program("show").told
    assert run_program("store", "migrate", "--to", database.reveal()).told["copied"]["rows"] == 5
    run_program.environment = on_files | {"BULKUPDATE_DATABASE": database.reveal()}
    assert run_program("show").told == before
    assert run_program("resume").counts == {"updated": 5}
    assert run_program("run", write_sheet(tmp_path / "other.csv", 2, first=FIRST + 50), "--yes").exit_code == 0
    after, audit = run_program("runs").told, run_program("audit").told
    refused = run_program("store", "migrate", "--to", "files")
    assert (refused.exit_code, "has runs already" in refused.err) == (2, True)
    run_program.environment["BULKUPDATE_STATE_DIR"] = str(tmp_path / "other")
    assert run_program("store", "migrate", "--to", "files").told["copied"]["runs"] == 2
    del run_program.environment["BULKUPDATE_DATABASE"]
    assert run_program("runs").told == after
    assert run_program("audit").told == audit
    with Journal(tmp_path / "other", Clock()) as journal:
        assert journal.select("SELECT last FROM sequence")[0][0] > 5
    assert len(find_puts(sandbox)) == 7


@pytest.mark.long
def test_a_backup_is_restored_and_its_run_continues(postgres: Postgres, run_program: Program, tmp_path: Path) -> None:
    database, other = postgres.make_database(), postgres.make_database()
    run_program.environment["BULKUPDATE_DATABASE"] = database.reveal()
    run_program("run", write_sheet(tmp_path / "in.csv", 5), "--yes", "--limit", 2)
    postgres.dump(database, "--format=custom", "--schema=bulkupdate", f"--file={postgres.folder}/backup")
    postgres.run("pg_restore", "--exit-on-error", f"--dbname={other.reveal()}", postgres.folder / "backup")
    run_program.environment["BULKUPDATE_DATABASE"] = other.reveal()
    assert run_program("resume").counts == {"updated": 5}
    assert run_program("run", write_sheet(tmp_path / "more.csv", 1), "--yes").exit_code == 0


def test_a_role_that_cannot_drop_suffices_and_one_that_lacks_a_right_is_told(
    postgres: Postgres, run_program: Program, tmp_path: Path
) -> None:
    database = postgres.make_database()
    run_program.environment["BULKUPDATE_DATABASE"] = database.reveal()
    assert "may drop tables" in run_program("doctor").told["database"]["message"]
    documented = (PROJECT / "docs" / "postgresql.md").read_text(encoding="utf-8")
    execute(database, documented.partition("```sql\n")[2].partition("```")[0])
    run_program.environment["BULKUPDATE_DATABASE"] = (clerk := database.reveal().replace("bulkupdate@", "clerk@"))
    assert "the role clerk cannot drop tables" in run_program("doctor").told["database"]["message"]
    assert run_program("run", write_sheet(tmp_path / "in.csv", 3), "--yes", "--limit", 1).exit_code == 1
    assert run_program("resume").counts == {"updated": 3}
    assert run_program("purge", "--older-than", "0").exit_code == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        execute(Secret(clerk), "DROP TABLE runs")
    execute(database, "REVOKE INSERT ON rows FROM clerk")
    found = run_program("doctor")
    assert (found.exit_code, "lacks rights" in found.err, "rows: INSERT" in found.err) == (4, True, True)


@pytest.mark.long
def test_a_clock_that_is_wrong_and_a_role_without_rights_are_told(postgres: Postgres, run_program: Program) -> None:
    database = postgres.make_database()
    run_program.environment["BULKUPDATE_DATABASE"] = database.reveal()
    late = "import time; real = time.time; time.time = lambda: real() - 300"
    process = run_program.fork("doctor", patch=late)
    _, err = process.communicate(timeout=60)
    assert "The clock of this host is 300 seconds behind" in err
    execute(database, "CREATE ROLE stranger LOGIN")
    run_program.environment["BULKUPDATE_DATABASE"] = database.reveal().replace("bulkupdate@", "stranger@")
    refused = run_program("runs")
    assert (refused.exit_code, "permission denied" in refused.err) == (4, True)


def test_of_two_that_resume_a_run_at_once_one_sends_it(
    postgres: Postgres, run_program: Program, sandbox: Any, tmp_path: Path
) -> None:
    run_program.environment["BULKUPDATE_DATABASE"] = postgres.make_database().reveal()
    assert run_program("run", write_sheet(tmp_path / "in.csv", 60), "--yes", "--limit", 2).exit_code == 1
    ended = [finish(each) for each in [run_program.fork("resume", state_dir=tmp_path / name) for name in "abc"]]
    assert {each.exit_code for each in ended} <= {0, 5}
    assert any(each.exit_code == 0 for each in ended)
    assert run_program("show").counts == {"updated": 60}
    assert len(find_puts(sandbox)) == 60


@pytest.mark.long
@pytest.mark.parametrize("wrong_by", [-300, 300])
def test_a_host_whose_clock_is_wrong_counts_the_same_quota(
    postgres: Postgres, run_program: Program, tmp_path: Path, wrong_by: int
) -> None:
    run_program.environment["BULKUPDATE_DATABASE"] = postgres.make_database().reveal()
    run_program("run", write_sheet(tmp_path / "in.csv", 10), "--yes", requests_per_hour=100)
    patch = f"import time; real = time.time; time.time = lambda: real() + {wrong_by}"
    doctor = finish(run_program.fork("doctor", patch=patch, requests_per_hour=100))
    assert "88 of 100 requests left" in doctor.err
    assert "88 of 100 requests left" not in (right := run_program("doctor", requests_per_hour=100)).err
    assert "87 of 100 requests left" in right.err


def test_texts_are_sorted_by_their_bytes_and_may_hold_any_character(postgres: Postgres) -> None:
    texts = ["", "A", "a", "z", "~", "~~", "\u00e4", "\u20ac", "\U0001f600", "a\0b", "'; DROP TABLE facts; --", "$1 ?2"]
    with Journal(postgres.make_database(), Clock()) as journal:
        journal.keep_facts("h", dict.fromkeys(texts, "x\0y"), "")
        found = [name for (name,) in journal.select("SELECT name FROM facts ORDER BY name")]
        assert found == sorted((text.replace("\0", "\u2400") for text in texts), key=str.encode)
        assert [name for (name,) in journal.select("SELECT name FROM facts WHERE name = ?", ("a\0b",))] == ["a\u2400b"]


@pytest.mark.long
def test_a_session_that_the_server_ends_as_it_is_idle_is_opened_again(postgres: Postgres) -> None:
    database = postgres.make_database()
    name = database.reveal().partition("@/")[2].partition("?")[0]
    execute(database, f"ALTER DATABASE {name} SET idle_session_timeout = '500ms'")
    shared = SharedStore(database)
    with Journal(database, Clock()) as journal:
        for _ in range(2):
            time.sleep(0.8)
            assert journal.runs() == []
            assert shared.query("SELECT count(*) FROM sessions") == [(0,)]
    shared.close()


def test_a_lost_session_that_the_server_still_keeps_is_not_taken_for_another_process(postgres: Postgres) -> None:
    home = open_journal_home(database := postgres.make_database(), checks_pages=False)
    assert isinstance(home, JournalDatabase)
    with home.hold_lock("run", 0) as is_held:
        assert is_held
        lost = home._postgres
        home._postgres = PostgresConnection(database)
        home._postgres.session.close()  # to this side, the connection is gone
        threading.Timer(0.5, lost.session.close).start()
        assert home.retried(lambda: write_something(home))


def write_something(home: JournalHome) -> bool:
    with home.writing():
        return bool(home.connection.execute("UPDATE sequence SET last = last + 1").rowcount)
