"""What a selection makes of the rows of a file: what is sent, and what the journal may believe afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.runs.journal.confirmation_table import UNMODIFIED
from bulkupdate.runs.loading.input_file import load_input_file
from bulkupdate.runs.loading.sheet_reading import SheetOptions
from bulkupdate.runs.run_records import RowOutcome
from bulkupdate.runs.sending.row_decision import RowDecision
from bulkupdate.runs.sending.selection import Selection
from bulkupdate.settings import Settings
from tests.conftest import write_csv

AT = "2026-01-14T09:38:49Z"
BOTH = '{"Name": "n", "Fax": "1"}'
PART, SAME, GONE, UNDECIDED, UNASKED, KEPT, ALL, BLANK = range(2, 10)


@pytest.fixture
def selection(tmp_path: Path) -> Selection:
    """A row of each kind, and the decisions about all but the one that is not decided and the blank one."""
    rows = [[number, "n", "1"] if number != BLANK else [number, "", ""] for number in range(PART, BLANK + 1)]
    sheet = write_csv(tmp_path / "a.csv", [["CustomerId", "Name", "Fax"], *rows])
    decisions = {
        PART: RowDecision(Status.NOT_ATTEMPTED, "", ("Name",), was_read=True),
        SAME: RowDecision(Status.UNCHANGED, "same", was_read=True),
        GONE: RowDecision(Status.REJECTED, "no customer"),
        UNASKED: RowDecision(Status.UNCHANGED, "not modified"),
        KEPT: RowDecision(Status.UNCHANGED, "kept", was_read=True, kept=("Fax",)),
        ALL: RowDecision(Status.NOT_ATTEMPTED, "", ("Name", "Fax"), was_read=True),
    }
    return Selection(
        load_input_file(sheet, Settings(), SheetOptions()), "name", AT, decisions, unmodified={UNASKED: 5},
        kept_values={KEPT: '{"Fax": "of others"}'}, begun=8,
    )  # fmt: skip


def test_each_row_is_sent_with_what_differs_or_not_at_all(selection: Selection) -> None:
    assert [(row.number, row.status, row.body, row.fields, row.reason) for row in selection.rows()] == [
        (PART, Status.NOT_ATTEMPTED, '{"Name": "n"}', ("Name",), ""),
        (SAME, Status.UNCHANGED, None, (), "same"),
        (GONE, Status.REJECTED, BOTH, ("Name", "Fax"), "no customer"),
        (UNDECIDED, Status.NOT_ATTEMPTED, BOTH, ("Name", "Fax"), ""),
        (UNASKED, Status.UNCHANGED, None, (), "not modified"),
        (KEPT, Status.UNCHANGED, None, (), "kept"),
        (ALL, Status.NOT_ATTEMPTED, BOTH, ("Name", "Fax"), ""),
        (BLANK, Status.UNCHANGED, None, (), "all cells are blank"),
    ]
    assert (selection.to_send, selection.unchanged, selection.skipped_count) == (3, 3, 4)
    assert selection.findings().same == 3


def test_only_what_was_read_or_asked_about_is_believed(selection: Selection) -> None:
    assert list(selection.seen()) == [
        (PART, str(PART), '{"Fax": "1"}', 8),
        (SAME, str(SAME), BOTH, 8),
        (UNASKED, str(UNASKED), UNMODIFIED, 5),
        (KEPT, str(KEPT), '{"Name": "n", "Fax": "of others"}', 8),
    ]


def test_a_row_without_a_customer_is_refused_for_certain(selection: Selection) -> None:
    assert selection.refused() == [RowOutcome(GONE, Status.REJECTED, 404, 0, "no customer", AT, may_be_applied=False)]
