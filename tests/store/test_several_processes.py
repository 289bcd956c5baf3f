"""Files of SQLite that several processes use, with several connections in each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.runs.journal import Journal
from bulkupdate.store.audit_log import AUDIT, AUDIT_NAME
from bulkupdate.store.quota_file import QUOTA_NAME, QuotaFile
from bulkupdate.store.sqlite_file import SqliteDatabase

_OPEN_AND_CLOSE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
connection.close()
"""


@pytest.mark.parametrize(
    ("name", "open_store"),
    [
        (QUOTA_NAME, lambda folder: closing(QuotaFile(folder, "a user at a host"))),
        (AUDIT_NAME, lambda folder: closing(SqliteDatabase(folder / AUDIT_NAME, AUDIT))),
        ("journal.sqlite3", lambda folder: Journal(folder, Clock())),
    ],
)
def test_another_process_leaves_the_log_in_which_this_one_writes(
    tmp_path: Path, name: str, open_store: Callable[[Path], AbstractContextManager[object]]
) -> None:
    """The last process that closes a file deletes its log: it must see the locks of this one's first connection."""
    with open_store(tmp_path):
        with open_store(tmp_path):
            pass
        subprocess.run([sys.executable, "-c", _OPEN_AND_CLOSE, tmp_path / name], check=True)
        assert (tmp_path / f"{name}-wal").exists()


def test_requests_count_for_all_processes_while_connections_come_and_go(tmp_path: Path) -> None:
    """So a page with several runs spends no more than the quota."""

    def take() -> None:
        with closing(QuotaFile(tmp_path, "user")) as quota, quota.transaction() as state:
            quota.take_slots(1, 1e12)
            state.used += 1

    with closing(QuotaFile(tmp_path, "user")) as kept:
        for number in range(1, 4):
            take()
            subprocess.run([sys.executable, "-c", _OPEN_AND_CLOSE, tmp_path / QUOTA_NAME], check=True)
            with kept.transaction() as state:
                kept.take_slots(1, 1e12)
                state.used += 1
            with closing(QuotaFile(tmp_path, "user")) as other:
                assert other.read_state().used == 2 * number
