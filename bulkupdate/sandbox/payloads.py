"""The JSON forms of a customer: the flat body of the PUT, the nested answer of the GET, the item of the list. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import zip_longest

from bulkupdate.customers.field_types import ALIASES
from bulkupdate.customers.fields import CUSTOMER_ID, FIELD_BY_NAME, UPDATABLE, Field
from bulkupdate.customers.value_types import RATING, RATINGS
from bulkupdate.sandbox.switches import SandboxOptions

TEST_CARD_NUMBER = "4242424242424242"
TEST_CVV = "CVV-SENTINEL-737"
"""Part of every `GET Customers/{id}`: a test searches for them where they must never be."""


def check_update(body: object, options: SandboxOptions) -> dict[str, object]:
    """Return the fields to set, a rating as its code, without what the service ignores (`docs/api.md`, section Update).

    Raises `ValueError` with a sentence about the first value of a wrong type, or the first name that is refused.
    """
    if not isinstance(body, dict):
        raise ValueError("The body must be a JSON object.")
    updates = {}
    for name, value in body.items():
        field = FIELD_BY_NAME.get(name)
        if field is None or field is CUSTOMER_ID:
            if options.unknown_name == "refused":
                raise ValueError(f"{name} is not a field of a customer.")
        elif value is not None:
            updates[name] = _check_value(field, value, options.rating_format)
        elif options.null_value == "clears" and field.is_clearable:
            updates[name] = [] if field.type is ALIASES else None
    return updates


def _check_value(field: Field, value: object, rating_format: str) -> object:
    if not field.type.accepts_json(value):
        raise ValueError(f"{field.name}: the value is not a {field.type.label}.")
    return _check_rating(value, rating_format) if field.type is RATING else value


def _check_rating(value: object, rating_format: str) -> int:
    if isinstance(value, str) and value in RATINGS and rating_format != "code":
        return RATINGS.index(value)
    if isinstance(value, int) and 0 <= value < len(RATINGS) and rating_format != "name":
        return value
    raise ValueError(f"Rating: {value!r} is not a rating.")


def to_get_response(customer_id: int, customer: Mapping[str, object]) -> dict[str, object]:
    """Return the body of `GET Customers/{id}`. Its groups are documented; the contents of unused ones are made up."""
    nested: dict[str, dict[str, object]] = {CUSTOMER_ID.group: {CUSTOMER_ID.get_name: customer_id}}
    for field in UPDATABLE:
        nested.setdefault(field.group, {})[field.get_name] = customer[field.name]
    return {**nested, **_make_other_groups(customer_id, customer)}


def _make_other_groups(customer_id: int, customer: Mapping[str, object]) -> dict[str, object]:
    return {
        "OrderOptions": {"TaxExempt": False, "PaymentTermId": 3, "DoNotSendEmails": False},
        "Addresses": [
            {"AddressID": customer_id * 10, "Name": customer["Name"], "Street1": "1 Example Street",
             "City": "Springfield", "PostalCode": "01234", "Country": "US", "IsDefault": True},
        ],
        "WholesaleOptions": {"DiscountPercent": Decimal("5.00"), "CreditLimit": Decimal("1000.00")},
        "CustomerGroups": [{"ID": 7, "Name": "Everyone"}],
        "CustomColumns": [{"ColumnName": "LOYALTY", "Value": "gold"}],
        "NotesCount": 2,
        "CreditCards": [{"CardNumber": TEST_CARD_NUMBER, "CVV": TEST_CVV, "Expiration": "12/2031"}],
    }  # fmt: skip


def list_item(customer_id: int, customer: Mapping[str, object]) -> dict[str, object]:
    """Return one item of `GET Customers`; a text that has several names there is split at its first blanks."""
    item: dict[str, object] = {CUSTOMER_ID.list_names[0]: customer_id}
    for field in UPDATABLE:
        if len(field.list_names) > 1:
            parts = str(customer[field.name] or "").split(" ", len(field.list_names) - 1)
            item.update(zip_longest(field.list_names, parts, fillvalue=""))
        elif field.list_names:
            item[field.list_names[0]] = customer[field.name]
    return item
