"""A live value as a cell: what is read from it is what the customer has, or the loss is said."""

from __future__ import annotations

from decimal import Decimal

import pytest

from bulkupdate.customers.cell_parser import parse_cell
from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.runs.live.round_trip import to_cell

LONGEST = 32_767
"""The characters that an Excel cell holds."""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Name", "Anna"), ("Name", "007"), ("IsWholesale", False), ("AccountManager1Id", 0),
        ("AccountManager1Commission", Decimal("12.50")), ("BusinessAliases", ("A", "B")), ("Comments", "a\nb"),
        ("Comments", "x" * LONGEST),
    ],
)  # fmt: skip
def test_a_value_comes_back_from_its_cell(name, value):
    text, loss = to_cell(FIELD_BY_NAME[name], value)
    assert parse_cell(FIELD_BY_NAME[name], text).value == value
    assert loss == ""


@pytest.mark.parametrize(
    ("name", "value", "text", "loss"),
    [
        ("Comments", "x" * (LONGEST + 1), "", "has 32,768 characters, more than an Excel cell can hold"),
        ("Name", " Anna ", " Anna ", "blanks around the text are left out"),
        ("Name", "<clear>", "", "a sheet cannot hold it: it would be read as another value"),
    ],
)
def test_what_a_cell_cannot_hold_is_said(name, value, text, loss):
    assert to_cell(FIELD_BY_NAME[name], value) == (text, loss)


def test_a_value_that_a_check_would_refuse_is_left_out_with_the_reason():
    text, loss = to_cell(FIELD_BY_NAME["Email"], "no address")
    assert text == ""
    assert loss == f"a sheet cannot hold it: {parse_cell(FIELD_BY_NAME['Email'], 'no address').findings[0].message}"
