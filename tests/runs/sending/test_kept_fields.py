"""What becomes of a row whose customer was read, if some fields are only written if they are empty."""

from __future__ import annotations

import json

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.runs.run_records import PendingRow
from bulkupdate.runs.sending.kept_fields import protect_row

NOW = "2026-01-14T09:38:49Z"
BOTH = {"Fax": "1", "Name": "n"}


def protect(body, live, *, guarded=("Fax",), may_be_applied=False):
    row = PendingRow(2, "7", json.dumps(body), tuple(body), may_be_applied=may_be_applied)
    found = protect_row(row, live, frozenset(guarded), "name", NOW)
    outcome = None if found.outcome is None else (found.outcome.status, found.outcome.message)
    return json.loads(found.row.body), found.row.fields, found.is_narrowed, found.kept, outcome


@pytest.mark.parametrize("live", [{"Fax": "", "Name": "o"}, {"Fax": None, "Name": "o"}])
def test_an_empty_field_is_written(live):
    assert protect(BOTH, live) == (BOTH, ("Fax", "Name"), False, {}, None)


def test_a_field_with_a_value_is_left_out_and_the_others_are_sent():
    live = {"Fax": "9", "Name": "o"}
    assert protect(BOTH, live) == ({"Name": "n"}, ("Name",), True, {"Fax": "9"}, None)


def test_a_field_that_the_service_does_not_show_is_left_out_without_a_known_value():
    assert protect(BOTH, {"Name": "o"}) == ({"Name": "n"}, ("Name",), True, {}, None)


def test_a_row_of_which_nothing_is_left_is_unchanged():
    kept = "not empty, so kept (write policy): Fax"
    assert protect({"Fax": "1"}, {"Fax": "9"})[2:] == (False, {"Fax": "9"}, (Status.UNCHANGED, kept))


def test_a_row_that_may_have_been_applied_is_sent_whole_if_the_value_is_its_own():
    """Its own earlier request may have filled the field."""
    assert protect(BOTH, {"Fax": "1", "Name": "o"}, may_be_applied=True) == (BOTH, ("Fax", "Name"), False, {}, None)


@pytest.mark.parametrize("body", [BOTH, {"Fax": "1"}])
def test_a_row_that_may_have_been_applied_is_not_sent_over_the_value_of_others(body):
    sent, fields, is_narrowed, _, outcome = protect(body, {"Fax": "of others", "Name": "o"}, may_be_applied=True)
    assert (sent, fields, is_narrowed) == (body, tuple(body), False)
    assert outcome == (Status.UNKNOWN, "not empty, so kept (write policy): Fax: not sent again")
