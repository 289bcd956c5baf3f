"""What may be written to each field, as the setting says it."""

import pytest

from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.customers.write_policy import (
    WritePolicy,
    describe_kept,
    describe_policies,
    find_kept,
    merge_policies,
    parse_write_policy,
    select_fields,
)
from bulkupdate.errors import UsageError


def test_policies_are_read_by_any_name_of_the_field():
    policies = parse_write_policy("fax=never, E-mail = only-if-empty,,Name=overwrite")
    assert policies == {"Fax": "never", "Email": "only-if-empty", "Name": "overwrite"}
    assert select_fields(policies, WritePolicy.NEVER) == {"Fax"}


@pytest.mark.parametrize("text", ["Fax", "Fax=sometimes", "Nonsense=never", "CustomerId=never", "=never"])
def test_any_other_text_says_how_to_write_it(text):
    with pytest.raises(UsageError, match="not understood") as refused:
        parse_write_policy(f"Name=never,{text}")
    assert "Fax=never,Email=only-if-empty" in str(refused.value.remedy)


def test_of_two_policies_the_stricter_counts():
    first = parse_write_policy("Fax=never,Name=overwrite,Email=only-if-empty")
    second = parse_write_policy("Fax=only-if-empty,Name=only-if-empty,Title=never")
    merged = parse_write_policy("Fax=never,Name=only-if-empty,Email=only-if-empty,Title=never")
    assert merge_policies(first, second) == merge_policies(second, first) == merged


def test_columns_that_are_not_simply_written_are_named():
    policies = parse_write_policy("Fax=never,Email=only-if-empty,Name=overwrite,Title=never")
    fields = [FIELD_BY_NAME["Email"], None, FIELD_BY_NAME["Name"], FIELD_BY_NAME["Fax"]]
    kept, ignored = describe_policies(policies, fields)
    assert kept.startswith("Email is only written if the customer's is empty")
    assert ignored == "Fax is never written (write policy): its column is ignored."


def test_a_guarded_field_is_kept_unless_it_is_known_to_be_empty():
    live = {"Fax": "1", "Email": "", "Title": None, "BusinessAliases": (), "CompanyId": 0, "Name": "Anna"}
    names = [*live, "Comments"]
    assert find_kept(names, live, set(names) - {"Name"}) == ("Fax", "CompanyId", "Comments")
    assert describe_kept(["Fax", "Name"]).endswith(": Fax, Name")
