"""The list of customers: its filters, its pages, and the ways in which a real service may be wrong about them.

`docs/api.md`, sections Reading many customers and Filters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from bulkupdate.sandbox.customer_store import CustomerStore
from bulkupdate.sandbox.payloads import list_item
from bulkupdate.sandbox.switches import SandboxOptions

Query = Mapping[str, Sequence[str]]


def list_customers(store: CustomerStore, options: SandboxOptions, query: Query) -> dict[str, object]:
    """Return the body of `GET Customers`. Raises `ValueError` with a sentence for a page that is not a number."""
    number = _read_count(query, "model.pageNumber", 1)
    size = min(_read_count(query, "model.pageSize", options.page_size_cap), options.page_size_cap)
    ids = _select(store, options, query)
    if options.repeat_last_page:
        number = min(number, max(1, -(-len(ids) // size)))
    page = ids[(number - 1) * size : number * size]
    found = ((customer_id, store.read(customer_id)) for customer_id in page)
    items = [list_item(key, customer) for key, customer in found if customer is not None]
    total = _count(options, len(ids), len(page))
    store.note_listed(page)
    return _keep_back(options.kept_back, number, items) | ({} if total is None else {"TotalResults": total})


def _keep_back(what: str, number: int, items: list[dict[str, object]]) -> dict[str, object]:
    """Return the body without what this service keeps back. `number` is that of the page."""
    if what == "id" and items:
        items[-1] = {name: value for name, value in items[-1].items() if name != "UserID"}
    if what == "items" and number == 2:
        return {}
    is_empty = what == "page" and number == 2
    return {"Items": [] if is_empty else items[:-1] if what == "customer" else items}


def _select(store: CustomerStore, options: SandboxOptions, query: Query) -> Sequence[int]:
    """Return the ids of the list, ascending: those that every filter of the query lets pass."""
    ids: Sequence[int] = store.ids
    requested = query.get("model.customerIds", [])
    if requested and options.list_filter:
        ids = sorted({int(text) for text in requested if int(text) in store.ids})
    filters = (("Email", "model.email", options.email_filter), ("Phone", "model.phoneNumber", options.phone_filter))
    for name, parameter, how in filters:
        text = first_value(query, parameter)
        if text and how != "ignored":
            found = store.search(name, text, "contains" if how == "contains" else "exact")
            if how == "case":
                found = [customer_id for customer_id in found if (store.read(customer_id) or {})[name] == text]
            ids = found if ids is store.ids else sorted(set(ids) & set(found))
    if options.modified_filter and (since := first_value(query, "model.modifiedOnFrom")):
        until = first_value(query, "model.modifiedOnTo")
        ids = sorted(set(store.list_modified(since, until)) & set(ids))
    return ids


def _count(options: SandboxOptions, total: int, on_page: int) -> int | None:
    """Return the `TotalResults` to send; None: none."""
    counts = {"right": total, "half": total // 2, "twice": total * 2, "page": on_page, "missing": None}
    return counts[options.total_results]


def first_value(query: Query, name: str) -> str:
    """Return the first value of a parameter; empty if there is none."""
    return query.get(name, [""])[0]


def _read_count(query: Query, name: str, default: int) -> int:
    text = first_value(query, name)
    if not text:
        return default
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise ValueError(f"{name} must be a whole number from 1.")
    return int(text)
