"""What is stored, how it is protected, and when it is deleted."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from tests.web.served import Server, Visitor, make_csv, path_of


def test_what_is_kept_is_for_the_servers_user_only(server: Server, run_of_anna: str) -> None:
    """Files 0600, folders 0700; and no customer data in the log."""
    for path in (server.state_dir, *server.state_dir.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert "example.com" not in server.log
    assert "New 1" not in server.log


@pytest.mark.long
def test_uploads_go_after_their_time_and_with_purge(sandbox: Sandbox, tmp_path: Path) -> None:
    """After BULKUPDATE_UPLOAD_DAYS by themselves; with `purge` when asked; by hand with a button."""
    state = tmp_path / "state"
    with Server(sandbox.base_url, state) as server:
        anna = Visitor(server.url, "anna")
        first, second = (path_of(anna.upload(f"{name}.csv", make_csv(1))).rpartition("/")[2] for name in "ab")
        anna.post(f"/sheets/{second}/remove")
        assert [each.name for each in (state / "uploads").iterdir()] == [first]
    for path in (state / "uploads").rglob("*"):
        os.utime(path, (time.time() - 86_400 * 31,) * 2)
    os.utime(state / "uploads" / first, (time.time() - 86_400 * 31,) * 2)
    with Server(sandbox.base_url, state) as server:
        deadline = time.monotonic() + 10
        while list((state / "uploads").iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        Visitor(server.url, "anna").upload("c.csv", make_csv(1))
    subprocess.run(
        [sys.executable, "-m", "bulkupdate", "purge", "--older-than", "0d", "--state-dir", str(state)], check=True
    )
    assert not list((state / "uploads").iterdir())
