"""The field table is whole: every field can be typed, sent and found again."""

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import (
    CUSTOMER_ID,
    FIELD_BY_NORMALIZED_HEADING,
    FIELDS,
    UPDATABLE,
    normalize_heading,
)
from bulkupdate.customers.value_types import RATINGS


def test_the_documented_fields_are_all_there():
    assert len(UPDATABLE) == 23
    assert len(RATINGS) == 6


def test_every_example_is_a_good_cell():
    for field in FIELDS:
        assert parse_cell(field, field.example).findings == ()


def test_headings_are_matched_as_promised():
    for heading in ("Customer ID", "customer_id", "CUSTOMER-ID", "Customer.Id"):
        assert FIELD_BY_NORMALIZED_HEADING[normalize_heading(heading)] is CUSTOMER_ID
    names = {
        heading: FIELD_BY_NORMALIZED_HEADING[normalize_heading(heading)].name
        for heading in ("E-mail", "Phone 1", "Wholesale?")
    }
    assert names == {"E-mail": "Email", "Phone 1": "Phone1", "Wholesale?": "IsWholesale"}


def test_the_three_account_managers_are_told_apart():
    for number, ordinal in enumerate(("First", "Second", "Third"), 1):
        for heading, name in ((f"Account Manager {number}", "Id"), (f"Commission {number}", "Commission")):
            field = FIELD_BY_NORMALIZED_HEADING[normalize_heading(heading)]
            assert field.name == f"AccountManager{number}{name}"
            assert field.help.startswith(f"{ordinal} account manager")
    for heading, name in (("Account Manager", "AccountManager1Id"), ("Commission", "AccountManager1Commission")):
        assert FIELD_BY_NORMALIZED_HEADING[normalize_heading(heading)].name == name


def test_a_bare_id_is_no_customer_id():
    """Half of all spreadsheets have a column ID; a sheet of something else must not become updates."""
    assert normalize_heading("ID") not in FIELD_BY_NORMALIZED_HEADING
