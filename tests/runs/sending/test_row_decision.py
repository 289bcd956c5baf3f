"""What is decided about a row once its live customer is known."""

from __future__ import annotations

import pytest

from bulkupdate.customers.models import CheckedRow, Finding, Status
from bulkupdate.customers.problem_codes import ProblemCode
from bulkupdate.runs.live.diff import LookedUp
from bulkupdate.runs.sending.row_decision import RowDecision, decide, narrow

NAMES = ("Name", "IsWholesale", "BusinessName")
ROW = CheckedRow(2, "7", Status.NOT_ATTEMPTED, '{"Name": "n", "IsWholesale": true, "BusinessName": "b"}', NAMES, ())
KEPT = "not empty, so kept (write policy): Name"


@pytest.mark.parametrize(
    ("to_send", "kept", "status", "reason", "sent"),
    [
        ((), (), Status.UNCHANGED, "the live customer already has every value", ()),
        ((), ("Name",), Status.UNCHANGED, KEPT, ()),
        (("Name",), (), Status.NOT_ATTEMPTED, "", ("Name",)),
        (("IsWholesale",), (), Status.NOT_ATTEMPTED, "", ("IsWholesale", "BusinessName")),
        (("IsWholesale",), ("BusinessName",), Status.NOT_ATTEMPTED, "", ("IsWholesale",)),
        (("BusinessName",), (), Status.NOT_ATTEMPTED, "", ("BusinessName",)),
    ],
)
def test_only_what_differs_is_sent_and_where_wholesale_needs_it_the_name_with_it(to_send, kept, status, reason, sent):
    found = decide(LookedUp(ROW, {}, to_send), kept, wholesale_needs_business_name=True)
    assert found == RowDecision(status, reason, sent, was_read=True, kept=kept)


def test_elsewhere_wholesale_is_sent_alone():
    assert decide(LookedUp(ROW, {}, ("IsWholesale",)), (), wholesale_needs_business_name=False).to_send == (
        "IsWholesale",
    )


def test_a_row_without_its_customer_or_with_that_of_another_key_is_not_sent():
    missing = decide(LookedUp(ROW, None, NAMES), (), wholesale_needs_business_name=True)
    assert missing == RowDecision(Status.REJECTED, "the service knows no customer with this id: not sent")
    finding = Finding.error(ProblemCode.KEY_CONFLICT, "the customer has another")
    conflict = finding.at(row=2, customer_id="7", column="Mail", value="a")
    other = decide(LookedUp(ROW, {}, NAMES, conflict), (), wholesale_needs_business_name=True)
    assert other == RowDecision(Status.INVALID, f"Mail: {conflict.message}")
    assert not missing.was_read, "none of its values is known to be live"
    assert not other.was_read


def test_a_narrowed_row_has_only_the_fields_that_are_named():
    row = narrow(ROW, ("BusinessName", "Name", "Fax"), "name")
    assert (row.fields, row.body) == (("Name", "BusinessName"), '{"Name": "n", "BusinessName": "b"}')
