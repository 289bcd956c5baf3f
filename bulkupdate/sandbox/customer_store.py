"""The customers of the sandbox: generated on demand; only changed ones are kept."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import cast

from bulkupdate.customers.field_types import ALIASES
from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.sandbox.fake_customers import make_customer
from bulkupdate.sandbox.responses import dump_json, parse_json
from bulkupdate.sandbox.switches import SandboxOptions

Customer = dict[str, object]
"""Field name of the PUT → value; None is an empty field."""


class CustomerStore:
    """All customers. Changes are kept as JSON bytes, some 300 a customer. Thread-safe."""

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        self._changes: dict[int, bytes] = {}
        self._lock = threading.Lock()

    @property
    def ids(self) -> range:
        """The ids there are, rising without a gap."""
        return range(self._options.first_customer_id, self._options.first_customer_id + self._options.customers)

    def read(self, customer_id: int) -> Customer | None:
        """Return the customer as stored now; None if there is none of that id."""
        if customer_id not in self.ids:
            return None
        return {**make_customer(self._options.seed, customer_id), **self._read_changes(customer_id)}

    def list_changes(self) -> dict[int, Customer]:
        """For each customer that was changed, the fields that were set, with their values now."""
        with self._lock:
            changed = tuple(self._changes)
        return {customer_id: self._read_changes(customer_id) for customer_id in changed}

    def update(self, customer_id: int, updates: Mapping[str, object], *, is_applied: bool) -> None:
        """Set the fields; without `is_applied` only look whether it could be done.

        Raises `KeyError` if there is no such customer, `ValueError` where a client setting forbids the update.
        """
        if customer_id not in self.ids:
            raise KeyError(customer_id)
        with self._lock:
            changes = self._read_changes(customer_id)
            for name, value in updates.items():
                self._set(customer_id, changes, name, value)
            if self._options.wholesale_needs_business_name:
                self._require_business_name(customer_id, changes)
            if is_applied and changes:
                self._changes[customer_id] = dump_json(changes)

    def _read_changes(self, customer_id: int) -> Customer:
        changes = self._changes.get(customer_id)
        return cast(Customer, parse_json(changes)) if changes else {}

    def _set(self, customer_id: int, changes: Customer, name: str, value: object) -> None:
        if value == "":
            if self._options.empty_string == "ignored":
                return
            value = None
        if FIELD_BY_NAME[name].type is ALIASES and self._options.aliases == "append":
            stored = changes[name] if name in changes else make_customer(self._options.seed, customer_id)[name]
            value = _append(cast("list[str]", stored), cast("list[str]", value))
        changes[name] = value

    def _require_business_name(self, customer_id: int, changes: Mapping[str, object]) -> None:
        customer = {**make_customer(self._options.seed, customer_id), **changes}
        if customer["IsWholesale"] and not customer["BusinessName"]:
            raise ValueError("BusinessName is required for wholesale customers.")


def _append(stored: Iterable[str], added: Iterable[str]) -> list[str]:
    """All names once, in their order."""
    return list(dict.fromkeys((*stored, *added)))
