"""What is stored, how it is protected, and when it is deleted."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.web.uploads.upload_store import Uploads, Usage
from tests.web.conftest import MADE_ID
from tests.web.manual_clock import ManualClock
from tests.web.served import Server, Visitor, make_csv, path_of


def test_what_is_kept_is_for_the_servers_user_only(server: Server, run_of_anna: str) -> None:
    """Files 0600, folders 0700; and no customer data in the log."""
    for path in (server.state_dir, *server.state_dir.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert "example.com" not in server.log
    assert "New 1" not in server.log


@pytest.mark.parametrize("record", ['{"id": "x"}', "[]", '{"unheard": 1, "id": "x", "owner": "anna"}', "", "{"])
def test_a_record_of_another_version_is_passed_over(server: Server, anna: Visitor, record: str) -> None:
    """After an upgrade is taken back: its own page says that there is none, all others work."""
    folder = server.state_dir / "uploads" / MADE_ID
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "upload.json").write_text(record)
    (folder / "upload.json").chmod(0o600)
    try:
        for path, status in (("/", 200), ("/runs", 200), (f"/sheets/{MADE_ID}", 404)):
            assert anna.get(path).status_code == status
    finally:
        shutil.rmtree(folder)


def test_a_user_stores_as_much_as_is_allowed_and_no_more(sandbox: Sandbox, tmp_path: Path) -> None:
    host = re.sub(r"https?://|/.*", "", sandbox.base_url)
    uploads = Uploads(tmp_path / "state", Clock())
    for number in range(20):
        uploads.add(io.BytesIO(b"x" * 5000), "Anna", host, f"{number}.csv", ".csv", SheetOptions())
    with Server(sandbox.base_url, tmp_path / "state", upload_bytes="5000") as server:
        refused = Visitor(server.url, "anna").upload("more.csv", make_csv(1))
        assert refused.status_code == 429
        assert "all the space that a user may have" in refused.text
        assert Visitor(server.url, "bert").upload("other.csv", make_csv(1)).status_code == 200


def test_a_user_uploads_so_often_a_day(tmp_path: Path) -> None:
    clock = ManualClock()
    uploads = Uploads(tmp_path, clock)
    for _ in range(3):
        uploads.add(io.BytesIO(b"abc"), "anna", "host", "a.csv", ".csv", SheetOptions())
        clock.time += 10 * 3600
    assert uploads.measure("anna") == Usage(recent_files=2, stored_bytes=9)
    assert uploads.measure("bert") == Usage(0, 0)


@pytest.mark.long
def test_uploads_go_after_their_time_and_with_purge(sandbox: Sandbox, tmp_path: Path) -> None:
    """After BULKUPDATE_UPLOAD_DAYS by themselves; with `purge` when asked; with a button on its page."""
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
