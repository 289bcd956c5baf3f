"""Health checks: without a session, whatever name the server is asked by."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from bulkupdate.settings import Settings
from bulkupdate.web.app import create_app
from bulkupdate.web.views import health_views
from tests.postgres import only_files
from tests.web.served import Server


def test_a_monitor_needs_no_session_and_no_name(server: Server) -> None:
    for path, text in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
        answer = requests.get(server.url + path, headers={"Host": "10.0.0.1"}, timeout=5)
        assert (answer.status_code, answer.text) == (200, text)
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert "Set-Cookie" not in answer.headers


@only_files
def test_a_damaged_journal_or_a_full_disk_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = create_app(Settings(base_url="http://127.0.0.1:1", state_dir=tmp_path)).test_client()
    assert client.get("/readyz").status_code == 200
    with monkeypatch.context() as full:
        full.setattr(health_views, "has_room", lambda *_: False)
        assert client.get("/readyz").get_data(as_text=True) == "the disk is full\n"
    (tmp_path / "journal.sqlite3").write_bytes(b"no database")
    client = create_app(Settings(base_url="http://127.0.0.1:1", state_dir=tmp_path)).test_client()
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_data(as_text=True)) == (503, "the journal cannot be read\n")
    assert client.get("/healthz").status_code == 200
