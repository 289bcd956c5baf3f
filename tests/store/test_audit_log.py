"""The audit: private, and only appended to."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import StoppedError
from bulkupdate.store.audit_log import AUDIT_NAME, AuditLog


def test_an_event_is_one_line_of_limited_length_in_a_private_file(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, Clock())
    log.record("signed in", user="anna\nforged" + "x" * 1000, address="10.0.0.1")
    log.record("signed out", user="anna")
    newest, oldest = log.read(9)
    assert (newest.event, oldest.event, oldest.address) == ("signed out", "signed in", "10.0.0.1")
    assert oldest.user.startswith("anna forged")
    assert len(oldest.user) == 200
    assert log.read(1) == [newest]
    assert stat.S_IMODE((tmp_path / AUDIT_NAME).stat().st_mode) == 0o600


@pytest.mark.parametrize("statement", ["DELETE FROM events", "UPDATE events SET user = 'bert'"])
def test_events_are_only_appended(tmp_path: Path, statement: str) -> None:
    log = AuditLog(tmp_path, Clock())
    log.record("signed in", user="anna")
    with (
        closing(sqlite3.connect(tmp_path / AUDIT_NAME)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="only appended"),
    ):
        connection.execute(statement)
    assert [event.user for event in log.read(9)] == ["anna"]


def test_an_audit_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, Clock())
    (tmp_path / AUDIT_NAME).write_text("in the way")
    log.record("signed in", user="anna")
    with pytest.raises(StoppedError, match="cannot be used"):
        log.read(9)
