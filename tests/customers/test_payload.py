"""Bodies go out as typed and live customers come in as the 23 fields, and nothing else of them."""

import json
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import FIELD_BY_NAME, UPDATABLE
from bulkupdate.customers.payload import (
    decode_body,
    decode_live,
    encode_body,
    encode_live,
    filter_body,
    flatten_customer,
    flatten_list_item,
    format_value,
)

NESTED = {
    "General": {
        "ID": 163, "Title": None, "Name": "Anna", "Email": "a@example.com", "EmailCC": None, "CorporateName": "Firm",
        "BusinessAliases": ["A"], "SourceId": "007", "IsWholeSaleUser": False, "Password": "secret",
    },
    "Internal": {"CompanyID": 201, "AccountManagerId": 5, "AccountManagerCommission": 2.5, "LocalRating": 4},
    "CreditCards": [{"CardNumber": "4111111111111111", "CVV": "123"}],
}  # fmt: skip


def test_nested_customer_becomes_flat_and_keeps_nothing_else():
    flat = flatten_customer(NESTED)
    assert flat == {
        "Title": "", "Name": "Anna", "Email": "a@example.com", "EmailCC": "", "BusinessName": "Firm",
        "BusinessAliases": ("A",), "SourceId": "007", "IsWholesale": False, "CompanyId": 201, "AccountManager1Id": 5,
        "AccountManager1Commission": Decimal("2.5"), "Rating": 4,
    }  # fmt: skip
    assert "4111" not in repr(flat)


def test_missing_groups_and_odd_values_are_no_failure():
    assert flatten_customer({}) == {}
    assert flatten_customer({"General": None, "Internal": "x", "Personal": []}) == {}
    odd = {"Internal": {"LocalRating": 99, "CompanyID": "?", "AccountManagerCommission": float("nan")}}
    assert flatten_customer(odd) == {}


def test_an_empty_field_is_told_from_one_that_the_service_does_not_say():
    assert flatten_customer({"Internal": {"CompanyID": None, "Comment": None}}) == {"CompanyId": None, "Comments": ""}


def test_live_values_can_be_kept_whatever_they_are():
    live = {
        "Name": "  half \ud800 character\r\n", "CompanyId": None, "AccountManager1Commission": Decimal("2.50"),
        "Rating": 4, "IsWholesale": False, "BusinessAliases": ("a; b", ""),
    }  # fmt: skip
    kept = encode_live(live)
    kept.encode()
    assert decode_live(kept) == live


def test_list_item_joins_the_names():
    item = {"UserID": 1, "FirstName": "Anna", "LastName": "Müller", "IsWholeSaleUser": True, "Rating": 0}
    assert flatten_list_item(item) == {"Name": "Anna Müller", "IsWholesale": True, "Rating": 0}
    assert flatten_list_item({"UserID": 1, "FirstName": "Anna", "LastName": None}) == {"Name": "Anna"}


def test_a_body_can_be_read_back_and_cut_down():
    body = '{"Name": "Zoë", "AccountManager1Commission": 12.50, "Rating": "Satisfied", "BusinessAliases": []}'
    assert decode_body(body) == {
        "Name": "Zoë", "AccountManager1Commission": Decimal("12.50"), "Rating": 4, "BusinessAliases": (),
    }  # fmt: skip
    assert filter_body(body, ["AccountManager1Commission"], "name") == '{"AccountManager1Commission": 12.50}'


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40).filter(lambda text: text.isprintable()), st.sampled_from(UPDATABLE))
def test_what_is_sent_reads_back_as_what_was_meant(text, field):
    value = parse_cell(field, text).value
    if value is None:
        return
    body = encode_body({field.name: value}, "name")
    json.loads(body.encode(), parse_constant=lambda name: 1 / 0)
    if field.is_clearable or field.type.label != "text":
        assert decode_body(body).get(field.name) == value


def test_shown_values_are_what_a_person_would_type():
    for name, value, shown in [
        ("Rating", 4, "Satisfied"), ("IsWholesale", False, "No"), ("BusinessAliases", ("A", "B"), "A; B"),
        ("AccountManager1Commission", Decimal("12.50"), "12.50"), ("CompanyId", 0, "0"), ("Name", None, ""),
    ]:  # fmt: skip
        assert format_value(FIELD_BY_NAME[name], value) == shown
