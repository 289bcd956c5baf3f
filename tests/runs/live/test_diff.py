"""Wanted values are compared with live ones by what they mean, not by how they are written."""

from decimal import Decimal

import pytest

from bulkupdate.runs.live.diff import compare, is_same


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        (Decimal("12.5"), Decimal("12.50")), ("Anna", "Anna"), ("Anna", " Anna\n"), ("a\r\nb", "a\nb"), ((), ()),
        (("A", "B"), ("A", "B")), (0, 0), (False, False), ("", ""),
    ],
)  # fmt: skip
def test_what_means_the_same_is_the_same(wanted, live):
    assert is_same(wanted, live)


@pytest.mark.parametrize(
    ("wanted", "live"),
    [
        ("Anna", "anna"), ("a  b", "a b"), (("A", "B"), ("B", "A")), (("A",), ()), (False, None), (0, None),
        ("007", "7"), (Decimal("0.1"), Decimal("0.10000001")), ("Anna", None), ("", None), (None, ""), ("5", 5),
    ],
)  # fmt: skip
def test_what_means_another_thing_differs(wanted, live):
    assert not is_same(wanted, live)


def test_only_wanted_fields_matter_and_what_the_service_does_not_say_is_no_proof():
    found = compare({"Name": "A", "Fax": "1", "CompanyId": 5}, {"Name": "A", "CompanyId": None, "Email": "x"})
    assert found.differing == ("CompanyId",)
    assert found.not_shown == ("Fax",)
    assert not found.is_equal
