"""The report of a night: its line for users and its object for programs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.errors import JournalError
from bulkupdate.nightly.file_report import FileOutcome
from bulkupdate.nightly.left_files import LeftFile, LeftReason
from tests.nightly.sample_notifications import NIGHT, night_report, report

OLD = LeftFile("inbox/old.csv", LeftReason.OPEN, "It has been open in Excel.", NIGHT - 90_000)
NEW = replace(OLD, name="inbox/new.csv", since=NIGHT - 60)


@pytest.mark.parametrize(
    ("night", "line"),
    [
        (night_report(), "0 files, 0 rows, exit code 0"),
        (night_report(left_files=(NEW,)), "0 files, 0 rows, 1 file left behind, exit code 0"),
        (
            night_report(report(), left_files=(OLD, NEW), failed_notifications=2, exit_code=1),
            "1 file (1 incomplete), 3 rows (2 updated, 1 rejected), 2 files left behind (1 for more than a day), "
            "2 notifications failed, exit code 1",
        ),
    ],
)
def test_a_night_in_one_line(night, line):
    assert night.describe() == line


def test_figures_are_those_of_all_files():
    night = night_report(report(), replace(report("b.csv"), outcome=FileOutcome.DONE), exit_code=1)
    assert (night.rows, night.counts) == (6, {Status.UPDATED: 4, Status.REJECTED: 2})
    assert night.outcomes == {FileOutcome.DONE: 1, FileOutcome.INCOMPLETE: 1}


def test_the_object_for_programs():
    night = night_report(report(), left_files=(OLD, NEW), error=JournalError("damaged"), exit_code=4)
    described = night.to_json()
    assert described["night"] is True
    assert (described["started"], described["ended"]) == ("2026-01-14T12:00:00Z", "2026-01-14T12:01:30Z")
    assert [(each["file"], each["reason"], each["overdue"]) for each in described["left"]] == [
        ("inbox/old.csv", "open", True), ("inbox/new.csv", "open", False),
    ]  # fmt: skip
    assert described["problems"] == [{"row": None, "column": None, "code": "journal", "message": "damaged"}]


def test_what_the_next_night_sends_is_never_overdue():
    for reason in (LeftReason.LATE, LeftReason.NOT_REACHED):
        assert not replace(OLD, reason=reason).is_overdue(NIGHT)
    assert OLD.is_overdue(NIGHT)


def test_a_file_is_overdue_after_more_than_a_day_and_at_once_if_it_was_cut_off():
    assert [NEW.is_overdue(NEW.since + seconds) for seconds in (86_400, 86_400.5)] == [False, True]
    assert replace(NEW, reason=LeftReason.CUT_OFF).is_overdue(NIGHT)
