"""Locks between processes."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from bulkupdate.errors import JournalError
from bulkupdate.store.locks import hold_lock, lock_path, take_turn


def test_a_lock_is_held_by_one_and_free_again_afterwards(tmp_path: Path) -> None:
    with hold_lock(tmp_path, "run", 0) as first, hold_lock(tmp_path, "run", 0) as second:
        assert (first, second) == (True, False)
    with hold_lock(tmp_path, "run", 0) as again, hold_lock(tmp_path, "other", 0) as other:
        assert (again, other) == (True, True)
    assert lock_path(tmp_path, "run").stat().st_mode & 0o077 == 0


def test_a_folder_that_takes_no_lock_ends_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file where the folder should be")
    with pytest.raises(JournalError, match="cannot be taken"), hold_lock(tmp_path, "run", 0):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such lock")
def test_a_turn_is_taken_by_one_at_a_time(tmp_path: Path) -> None:
    order: list[str] = []

    def wait_for_turn() -> None:
        with take_turn(tmp_path / "file"):
            order.append("second")

    with take_turn(tmp_path / "file"):
        waiting = threading.Thread(target=wait_for_turn)
        waiting.start()
        time.sleep(0.05)
        order.append("first")
    waiting.join(5)
    assert order == ["first", "second"]
