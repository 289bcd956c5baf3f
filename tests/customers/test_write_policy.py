"""What may be written to each field, as the setting says it."""

import pytest

from bulkupdate.customers.write_policy import WritePolicy, parse_write_policy, select_fields
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
