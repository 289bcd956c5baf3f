"""Convert values to the request body, and the bodies of GET to the same flat form. Pure.

The body is flat JSON; a field left out is not changed (`docs/api.md`, section Update).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import simplejson

from bulkupdate.customers.field_types import UNREADABLE
from bulkupdate.customers.fields import FIELD_BY_NAME, UPDATABLE, Field
from bulkupdate.customers.parse_result import Value

_encode_json: Callable[[object], str] = partial(simplejson.dumps, ensure_ascii=False, allow_nan=False, use_decimal=True)

LiveCustomer = dict[str, Value | None]
"""The fields of one customer as the service holds them: an empty field is "" or (), or None if its type has no empty
value; a field that the answer does not have is left out."""

SEPARATOR = ", "
"""Between two members of a body."""

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def encode_member(field: Field, value: Value, rating_format: str) -> str:
    """Return one `"Name": value` of the body. Decimals are written as typed (`12.50`), never as a binary float."""
    return f'"{field.name}": {_encode_json(field.type.to_json(value, rating_format))}'


def encode_body(values: Mapping[str, Value], rating_format: str) -> str:
    """Return the body that sets these fields, byte for byte as it will be sent."""
    fields = ((FIELD_BY_NAME[name], value) for name, value in values.items())
    return _encode_json({field.name: field.type.to_json(value, rating_format) for field, value in fields})


def decode_body(body: str) -> dict[str, Value]:
    """Return the values of a body made by `encode_body`, for comparisons."""
    return {name: value for name, value in decode_live(body).items() if value is not None}


def filter_body(body: str, names: Iterable[str], rating_format: str) -> str:
    """Return a body with only the named fields."""
    values = decode_body(body)
    return encode_body({name: values[name] for name in names}, rating_format)


def encode_live(live: LiveCustomer) -> str:
    """Return live values as JSON that any file can hold; `decode_live` reverses it."""
    fields = ((FIELD_BY_NAME[name], value) for name, value in live.items())
    text = _encode_json(
        {field.name: None if value is None else field.type.to_json(value, "code") for field, value in fields}
    )
    return _HALF_CHARACTER.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def decode_live(text: str) -> LiveCustomer:
    """Return the values that `encode_live` or `encode_body` wrote."""
    return _read_members(simplejson.loads(text, use_decimal=True).items())


def flatten_customer(body: Mapping[str, Any]) -> LiveCustomer:
    """Return the 23 fields of the nested answer of `GET Customers/{id}`; every other part of it is dropped."""
    found = {}
    for field in UPDATABLE:
        group = body.get(field.group)
        if isinstance(group, Mapping) and field.get_name in group:
            found[field.name] = group[field.get_name]
    return _read_members(found.items())


LISTED = tuple(field for field in UPDATABLE if field.list_names)
"""The fields that an item of the list has."""


def flatten_list_item(item: Mapping[str, Any], fields: Sequence[Field] = LISTED) -> LiveCustomer:
    """Return these fields of an item of `GET Customers`, which has fewer fields than `GET Customers/{id}`."""
    found: LiveCustomer = {}
    for field in fields:
        names = field.list_names
        value = item.get(names[0], _ABSENT) if len(names) == 1 else _join_listed(item, names)
        read: Any = UNREADABLE if value is _ABSENT else field.type.from_json(value)
        if read is not UNREADABLE:
            found[field.name] = read
    return found


_ABSENT = object()


def _join_listed(item: Mapping[str, Any], names: Sequence[str]) -> Any:
    parts = [item.get(name, _ABSENT) for name in names]
    return _ABSENT if _ABSENT in parts else " ".join([str(part) for part in parts if part])


def format_value(field: Field, value: Value | None) -> str:
    """Return a value as the cell that a user would type to get it; an empty text for None and for empty values."""
    return "" if value is None else field.type.format(value)


def _read_members(members: Iterable[tuple[str, Any]]) -> LiveCustomer:
    values = {name: FIELD_BY_NAME[name].type.from_json(value) for name, value in members}
    return {name: value for name, value in values.items() if value is not UNREADABLE}
