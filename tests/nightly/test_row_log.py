"""The log of rows: those that were not updated, and waits for quota, without cell contents."""

from __future__ import annotations

import logging

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.nightly.row_log import RowLog
from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.sellercloud.rate_limit import WaitState
from tests.nightly.sample_notifications import NIGHT


def outcome(row: int, status: Status) -> RowOutcome:
    return RowOutcome(row, status, 404, 1, "Ann was refused", "")


@pytest.mark.parametrize("status", [Status.REJECTED, Status.FAILED, Status.UNKNOWN])
def test_a_row_that_was_not_updated_is_a_warning(caplog: pytest.LogCaptureFixture, status: Status) -> None:
    caplog.set_level("INFO")
    RowLog("r1")([outcome(2, Status.UPDATED), outcome(3, status)], None)
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, "row not updated")
    found = vars(record)
    assert (found["run"], found["row"], found["status"], found["http_status"]) == ("r1", 3, status, 404)


def test_debug_adds_every_row_with_its_message(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    RowLog("r1")([outcome(2, Status.UPDATED)], None)
    assert [each.getMessage() for each in caplog.records] == ["row: Ann was refused"]


def test_a_wait_for_quota_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    row_log = RowLog("r1")
    for seconds in (0, 1, 2, 61):
        row_log((), WaitState(NIGHT + seconds, throttled=False))
    assert [each.getMessage() for each in caplog.records] == [
        "waiting for quota until 2026-01-14T12:00Z", "waiting for quota until 2026-01-14T12:01Z",
    ]  # fmt: skip
    assert row_log.has_waited
    assert not RowLog("r2").has_waited
