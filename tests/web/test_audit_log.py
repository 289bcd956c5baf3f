"""The audit log: one line an event, private, and bounded."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from bulkupdate.web import audit_log
from bulkupdate.web.audit_log import AuditLog
from tests.web.manual_clock import ManualClock


def test_a_line_holds_an_event_and_nothing_can_forge_another(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, ManualClock())
    log.record("signed in", user='anna\n{"event": "forged"}' + "x" * 1000, address="10.0.0.1")
    lines = log.path.read_text().splitlines()
    assert len(lines) == 1
    event = json.loads(lines[0])
    assert (event["event"], event["address"], event["at"]) == ("signed in", "10.0.0.1", "1970-01-12T13:46:40Z")
    assert len(event["user"]) == 200
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


def test_a_full_log_is_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "MAX_BYTES", 1000)
    log = AuditLog(tmp_path, ManualClock())
    for number in range(100):
        log.record("started", user="anna", about=f"run {number}")
    assert sorted(path.name for path in log.path.parent.iterdir()) == ["audit.jsonl", "audit.jsonl.1"]
    assert "run 99" in log.path.read_text()
    assert sum(path.stat().st_size for path in log.path.parent.iterdir()) < 2500


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "web").write_text("in the way")
    AuditLog(tmp_path, ManualClock()).record("signed in", user="anna")
