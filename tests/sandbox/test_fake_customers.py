"""Made customers: the same for the same seed, varied, plausible, nobody real."""

from __future__ import annotations

import re
from decimal import Decimal

from bulkupdate.customers.field_types import ALIASES
from bulkupdate.customers.fields import FIELD_BY_NAME, UPDATABLE
from bulkupdate.customers.value_types import BOOLEAN, DECIMAL, INTEGER, RATING
from bulkupdate.sandbox.fake_customers import MAKERS, make_customer

PEOPLE = {customer_id: make_customer(1, customer_id) for customer_id in range(100_001, 102_001)}


def test_seed_and_id_make_the_person() -> None:
    assert make_customer(1, 100_163) == make_customer(1, 100_163)
    assert make_customer(1, 100_163) != make_customer(2, 100_163)
    assert len({str(person) for person in PEOPLE.values()}) == len(PEOPLE)


def test_every_field_of_the_table_is_made_and_no_other() -> None:
    """A field without a maker holds its example."""
    assert set(MAKERS) <= set(FIELD_BY_NAME)
    assert {tuple(person) for person in PEOPLE.values()} == {tuple(field.name for field in UPDATABLE)}


def test_addresses_are_unique_and_nobodys() -> None:
    addresses = [str(person["Email"]) for person in PEOPLE.values()]
    assert len(set(addresses)) == len(addresses)
    assert all(re.fullmatch(r"[a-z0-9.]+@example\.(com|org|net)", address) for address in addresses)


def test_values_are_of_their_types_and_every_clearable_field_is_sometimes_empty() -> None:
    types = {INTEGER: int, RATING: int, DECIMAL: Decimal, BOOLEAN: bool, ALIASES: list}
    for field in UPDATABLE:
        values = [person[field.name] for person in PEOPLE.values()]
        assert all(value is None or isinstance(value, types.get(field.type, str)) for value in values), field.name
        if field.is_clearable and field.name not in ("Name", "Email"):
            assert any(not value for value in values), field.name
        assert any(value for value in values), field.name


def test_hard_cases_are_among_them() -> None:
    """Accents, apostrophes, scripts without blanks, zeros and plus in front, several lines."""
    names = " ".join(str(person["Name"]) for person in PEOPLE.values())
    assert all(mark in names for mark in ("ü", "'", "’", "王", "-", "Ł", "محمد", "Null"))
    phones = [str(person["Phone1"]) for person in PEOPLE.values() if person["Phone1"]]
    assert all(any(phone.startswith(start) for phone in phones) for start in ("00", "0", "+", "5550"))
    assert any("\n" in str(person["Comments"]) for person in PEOPLE.values())


def test_wholesale_customers_have_a_firm() -> None:
    """So the client setting refuses no update that has nothing to do with it."""
    assert all(person["BusinessName"] for person in PEOPLE.values() if person["IsWholesale"])
