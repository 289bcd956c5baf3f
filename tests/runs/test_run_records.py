"""The options of a run as the journal keeps them, of this and of older versions."""

from __future__ import annotations

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.runs.run_records import PendingRow, RowOutcome, RunOptions


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(),
        RunOptions(verify=True, skip_invalid=True, since_last=True, max_age_days=0.5),
        RunOptions(only_changes=True, snapshot=True),
        RunOptions(undo="20260114-093849-k3v9x2mq", snapshot=True),
    ],
)
def test_options_come_back_as_they_were_kept(options):
    assert RunOptions.from_json(options.to_json()) == options


def test_options_of_older_versions_are_read():
    assert RunOptions.from_json({}) == RunOptions()
    older = {"undo": "20260114-093849-k3v9x2mq", "snapshot": True, "verify": False}
    assert RunOptions.from_json(older) == RunOptions(undo="20260114-093849-k3v9x2mq", snapshot=True)
    newer = {"verify": True, "max_age_days": "7", "not known yet": "x"}
    assert RunOptions.from_json(newer) == RunOptions(verify=True, max_age_days=7)


def test_a_limit_is_not_kept_as_resume_sends_the_rest():
    assert RunOptions.from_json(RunOptions(limit=5).to_json()).limit is None


def test_a_retry_is_not_selected_again_but_stays_an_undo():
    options = RunOptions(only_changes=True, since_last=True, max_age_days=3, snapshot=True, undo="r", verify=True)
    assert options.for_retry() == RunOptions(snapshot=True, undo="r", verify=True)


def test_a_row_is_withheld_with_its_status_unless_it_may_have_been_applied_before():
    row, tried = PendingRow(2, "7", "{}", ()), PendingRow(2, "7", "{}", (), 3, may_be_applied=True)
    never = RowOutcome(2, Status.REJECTED, None, 0, "gone", "now", may_be_applied=False)
    assert row.withhold(Status.REJECTED, "gone", "now") == never
    once = RowOutcome(2, Status.UNKNOWN, 404, 3, "gone", "now", may_be_applied=True)
    assert tried.withhold(Status.REJECTED, "gone", "now", 404) == once
