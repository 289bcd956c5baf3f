"""A full disk, on a small file system of its own: said as what it is, and nothing of it is left behind."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.conftest import LOGINS
from tests.web.served import Server, Visitor, make_csv, path_of, sent_customers

DISK_BYTES = 60 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 60 MB. Skips if none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Fill the disk to the last byte; return the file that does so."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return filler


@pytest.mark.long
def test_a_run_stopped_by_a_full_disk_is_resumed_and_its_log_stays_small(small_disk: Path) -> None:
    options = SandboxOptions(customers=6000, requests_per_hour=0, latency_seconds=0.02, **LOGINS)
    state = small_disk / "state"
    with Sandbox(options) as sandbox, Server(sandbox.base_url, state, requests_per_hour="0") as server:
        anna = Visitor(server.url, "anna")
        run = anna.start(anna.upload("a.csv", make_csv(2500)))
        while not sent_customers(sandbox):
            time.sleep(0.05)
        filler = fill(small_disk)
        page = anna.wait_for_end(run, 60)
        assert "The disk of the server was full." in page.text
        assert str(state) not in page.text
        refused = Visitor(server.url).sign_in("bert")
        assert refused.status_code == 503
        assert "The disk of the server is full" in refused.text
        upload = anna.upload("b.csv", make_csv(3))
        assert upload.status_code == 507
        assert "disk" in upload.text
        filler.unlink()
        sent = len(sent_customers(sandbox))
        assert 0 < sent < 2500
        anna.wait_for_end(anna.post(path_of(run) + "/resume"), 120)
        assert "Every row went through." in anna.get(path_of(run)).text
        ids = sent_customers(sandbox)
        assert set(ids) == set(range(100_001, 102_501))
        assert len(ids) <= 2500 + 8
        anna.wait_for_end(anna.start(anna.upload("c.csv", make_csv(3000, first_id=103_001))), 120)
        log = state / "journal.sqlite3-wal"
        assert log.stat().st_size < 12 << 20, f"{log.stat().st_size:,} bytes"
