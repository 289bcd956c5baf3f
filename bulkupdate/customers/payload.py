"""Values to the request body; the bodies of GET to the same flat form. Pure.

The body is flat JSON; a field left out is not changed (`docs/api.md`, section Update).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from bulkupdate.customers.fields import FIELD_BY_NAME, RATINGS, UPDATABLE, Field, Kind
from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.values import read_value

_encode_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode

LiveCustomer = dict[str, Value | None]
"""The fields of one customer as the service holds them: an empty field is "" or (), or None where its kind has no empty
value; one that the service does not say is left out."""

SEPARATOR = ", "
"""Between two members of a body."""

_UNREADABLE = object()
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def encode_member(field: Field, value: Value, rating_format: str) -> str:
    """One `"Name": value` of the body. Decimals stand as typed (`12.50`), never as a binary float."""
    if field.kind is Kind.RATING and rating_format == "name":
        value = RATINGS[int(str(value))]
    if isinstance(value, Decimal):
        return f'"{field.name}": {value:f}'
    return f'"{field.name}": {_encode_json(value)}'


def join_members(members: Iterable[str]) -> str:
    """The body that will be sent, byte for byte, from its members."""
    return "{" + SEPARATOR.join(members) + "}"


def encode_body(values: Mapping[str, Value], rating_format: str) -> str:
    """The body that sets these fields."""
    return join_members(encode_member(FIELD_BY_NAME[name], value, rating_format) for name, value in values.items())


def decode_body(body: str) -> dict[str, Value]:
    """A body of ours back to its values, for comparing."""
    return {name: value for name, value in decode_live(body).items() if value is not None}


def filter_body(body: str, names: Iterable[str], rating_format: str) -> str:
    """A body with only the fields named."""
    values = decode_body(body)
    return encode_body({name: values[name] for name in names}, rating_format)


def encode_live(live: LiveCustomer) -> str:
    """Live values as JSON that any file can hold, to be kept; `decode_live` gives the same back."""
    kept = join_members(
        f'"{name}": null' if value is None else encode_member(FIELD_BY_NAME[name], value, "code")
        for name, value in live.items()
    )
    return _HALF_CHARACTER.sub(lambda half: f"\\u{ord(half[0]):04x}", kept)


def decode_live(text: str) -> LiveCustomer:
    """What `encode_live` wrote, or a body of ours, back to its values."""
    return _read_members(json.loads(text, parse_float=Decimal).items())


def flatten_customer(body: Mapping[str, Any]) -> LiveCustomer:
    """The 23 fields of the nested answer of `GET Customers/{id}`; every other part of it is dropped here."""
    found = {}
    for field in UPDATABLE:
        group = body.get(field.group)
        if isinstance(group, Mapping) and field.get_name in group:
            found[field.name] = group[field.get_name]
    return _read_members(found.items())


def flatten_list_item(item: Mapping[str, Any]) -> LiveCustomer:
    """The fields of one item of `GET Customers`: fewer than the single answer has."""
    found: dict[str, Any] = {}
    for field in UPDATABLE:
        names = [name for name in field.list_names if name in item]
        if len(names) == 1 == len(field.list_names):
            found[field.name] = item[names[0]]
        elif names and len(names) == len(field.list_names):
            found[field.name] = " ".join(str(item[name]) for name in names if item[name])
    return _read_members(found.items())


def format_value(field: Field, value: Value | None) -> str:
    """A value as a cell of the input format: what a person would type to get it. None and empty give an empty text."""
    if value is None:
        return ""
    if field.kind is Kind.RATING:
        return RATINGS[int(str(value))]
    if field.kind is Kind.BOOLEAN:
        return "Yes" if value else "No"
    if isinstance(value, tuple):
        return "; ".join(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _read_members(members: Iterable[tuple[str, Any]]) -> LiveCustomer:
    values = {name: _read_member(FIELD_BY_NAME[name], given) for name, given in members}
    return {name: value for name, value in values.items() if value is not _UNREADABLE}


def _read_member(field: Field, given: Any) -> Any:
    """A JSON value as the field's value, tolerantly; `_UNREADABLE` where it cannot be one: nothing is known of it."""
    if field.kind is Kind.ALIASES:
        return tuple(str(name) for name in given) if isinstance(given, list) else () if given is None else (str(given),)
    if field.is_clearable:
        return "" if given is None else str(given)
    if given is None:
        return None
    if field.kind is Kind.DECIMAL:
        return _read_number(given)
    value = read_value(field, str(given)).value
    return _UNREADABLE if value is None or isinstance(value, str) else value


def _read_number(given: Any) -> Any:
    try:
        number = Decimal(str(given))
    except InvalidOperation:
        return _UNREADABLE
    return number if number.is_finite() else _UNREADABLE
