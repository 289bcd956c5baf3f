"""Files of SQLite: versions, transactions, and failures told apart by code."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bulkupdate.errors import StoppedError
from bulkupdate.store import sqlite_file
from bulkupdate.store.database_kind import DatabaseKind, Failure
from bulkupdate.store.sqlite_file import (
    create_tables,
    open_file,
    open_scratch_file,
    transaction,
    translated_errors,
    write_scratch_file,
)

KIND = DatabaseKind(
    name="test",
    version=1,
    tables="CREATE TABLE things (name TEXT);\nINSERT INTO things VALUES ('first')",
    synchronous="NORMAL",
    error=StoppedError,
    messages={failure: (f"{failure.name} {{path}} {{reason}}", "Look at {name}.") for failure in Failure},
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "things.sqlite3"


def list_names(connection: sqlite3.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM things ORDER BY rowid")]


def delete_all_and_fail(connection: sqlite3.Connection) -> None:
    with transaction(connection):
        connection.execute("DELETE FROM things")
        connection.execute("DELETE FROM nowhere")


def test_a_file_is_migrated_step_by_step_and_once(path):
    create_tables(path, KIND)
    newer = replace(
        KIND,
        version=3,
        migrations={1: "INSERT INTO things VALUES ('second')", 2: "INSERT INTO things VALUES ('third')"},
    )
    for _ in range(2):
        with closing(open_file(path, newer)) as connection:
            assert list_names(connection) == ["first", "second", "third"]


def test_a_migration_that_fails_leaves_the_file_as_it_was(path):
    create_tables(path, KIND)
    broken = replace(
        KIND, version=2, migrations={1: "INSERT INTO things VALUES ('half');\nINSERT INTO nowhere VALUES (1)"}
    )
    with pytest.raises(sqlite3.OperationalError):
        open_file(path, broken)
    with closing(open_file(path, KIND)) as connection:
        assert list_names(connection) == ["first"]


def test_a_file_of_a_newer_version_is_refused(path):
    create_tables(path, replace(KIND, version=5))
    with pytest.raises(StoppedError, match=r"OTHER_VERSION .* 5"):
        open_file(path, KIND)


def test_an_empty_file_counts_as_damaged_unless_it_is_made_in_place(path):
    path.touch()
    with pytest.raises(StoppedError, match="DAMAGED"), translated_errors(path, KIND):
        open_file(path, KIND)
    with closing(open_file(path, replace(KIND, is_made_in_place=True))) as connection:
        assert list_names(connection) == ["first"]


def test_a_block_that_raises_changes_nothing(path):
    create_tables(path, KIND)
    with closing(open_file(path, KIND)) as connection:
        with pytest.raises(sqlite3.OperationalError):
            delete_all_and_fail(connection)
        assert list_names(connection) == ["first"]


def test_a_locked_file_is_told_by_its_code(path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "LOCK_WAIT_SECONDS", 0.02)
    create_tables(path, KIND)
    with closing(open_file(path, KIND)) as holder, closing(open_file(path, KIND)) as waiting:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoppedError, match="LOCKED"), translated_errors(path, KIND), transaction(waiting):
            pass


def test_a_full_file_is_told_by_its_code(path):
    create_tables(path, KIND)
    with closing(open_file(path, KIND)) as connection:
        connection.execute("PRAGMA max_page_count = 2")
        with pytest.raises(StoppedError, match="FULL"), translated_errors(path, KIND), transaction(connection):
            connection.execute("INSERT INTO things VALUES (?)", ("x" * 100_000,))
        assert not connection.in_transaction


def test_a_file_that_is_not_of_sqlite_is_damaged(path):
    path.write_text("not a database, and long enough to be looked at" * 100)
    with pytest.raises(StoppedError, match="DAMAGED") as caught, translated_errors(path, KIND):
        open_file(path, KIND)
    assert caught.value.remedy == "Look at things.sqlite3."


def test_a_folder_that_is_missing_is_unusable(tmp_path):
    path = tmp_path / "nowhere" / "things.sqlite3"
    with pytest.raises(StoppedError, match="UNUSABLE"), translated_errors(path, KIND):
        open_file(path, KIND)


def test_a_scratch_file_replaces_the_one_before_and_is_read_only(path):
    path.write_text("what was there before")
    with write_scratch_file(path, "CREATE TABLE things (name TEXT);") as connection:
        connection.execute("INSERT INTO things VALUES ('a')")
    with closing(open_scratch_file(path)) as connection:
        assert list_names(connection) == ["a"]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM things")
