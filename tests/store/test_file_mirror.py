"""Files of several hosts are kept the same, whoever writes or deletes them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkupdate.redaction import Secret
from bulkupdate.store.file_mirror import FileMirror, delete_shared_before
from bulkupdate.store.shared_store import SharedStore
from tests.postgres import find_program, run_postgres

pytestmark = pytest.mark.skipif(find_program("initdb") is None, reason="PostgreSQL is not installed")


@pytest.fixture
def database() -> Iterator[Secret]:
    with run_postgres() as postgres:
        yield postgres.make_database()


def open_mirror(database: Secret, root: Path) -> FileMirror:
    return FileMirror(SharedStore(database), root, "uploads", lambda path: path.suffix != ".own")


def read_all(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.*")}


def test_what_one_host_writes_and_deletes_the_other_has_and_has_not(database: Secret, tmp_path: Path) -> None:
    roots = here, there = tmp_path / "here", tmp_path / "there"
    mine, other = (open_mirror(database, root) for root in roots)
    (here / "uploads" / "a").mkdir(parents=True)
    (here / "uploads" / "a" / "1.csv").write_bytes(b"\x00\xff" * 100_000)
    (here / "uploads" / "a" / "2.json").write_text("old")
    (here / "uploads" / "a" / "3.own").write_text("not shared")
    mine.sync()
    other.pull()
    assert read_all(there).keys() == {"uploads/a/1.csv", "uploads/a/2.json"}
    assert (there / "uploads/a/1.csv").read_bytes() == (here / "uploads/a/1.csv").read_bytes()
    (there / "uploads/a/2.json").write_text("newer")
    (there / "uploads/a/1.csv").unlink()
    other.sync()
    mine.pull()
    assert read_all(here) == {"uploads/a/2.json": b"newer", "uploads/a/3.own": b"not shared"}

    os.utime(here / "uploads/a/2.json", (1, 1))  # a host that was off meanwhile has an old copy, and starts again
    (here / "uploads/a/2.json").write_text("stale")
    os.utime(here / "uploads/a/2.json", (1, 1))
    open_mirror(database, here).sync()
    assert (here / "uploads/a/2.json").read_text() == "newer"

    delete_shared_before(database, "uploads", time.time() - 60)
    other.pull()
    assert (there / "uploads/a/2.json").exists()
    delete_shared_before(database, "uploads", time.time() + 60)
    other.pull()
    assert read_all(there) == {}
