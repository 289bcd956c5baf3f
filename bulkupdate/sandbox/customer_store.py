"""The customers of the sandbox: generated when requested; only changes are kept."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterable, Mapping
from typing import cast

from bulkupdate.clock import format_utc
from bulkupdate.customers.field_types import ALIASES
from bulkupdate.customers.fields import FIELD_BY_NAME
from bulkupdate.sandbox.fake_customers import make_customer
from bulkupdate.sandbox.responses import dump_json, parse_json
from bulkupdate.sandbox.search_index import SearchIndex, emails_of, normalise_email, normalise_phone, phones_of
from bulkupdate.sandbox.switches import SandboxOptions

Customer = dict[str, object]
"""The fields by their names in the PUT; None is an empty field."""


class CustomerStore:
    """All customers. Changes are kept as JSON, some 300 bytes for each customer. Thread-safe."""

    def __init__(self, options: SandboxOptions) -> None:
        self._options = options
        self._changes: dict[int, bytes] = {}
        self._modified: dict[int, str] = {}
        self._indexes: dict[str, SearchIndex] = {}
        self._lock = threading.Lock()

    @property
    def ids(self) -> range:
        """All ids, ascending without a gap."""
        return range(self._options.first_customer_id, self._options.first_customer_id + self._options.customers)

    def read(self, customer_id: int) -> Customer | None:
        """Return the customer as stored now; None if there is none of that id."""
        if customer_id not in self.ids:
            return None
        return {**self._generate(customer_id), **self._read_changes(customer_id)}

    def search(self, name: str, text: str, how: str) -> list[int]:
        """Return the ids, ascending, of the customers found by `Email` or `Phone`; `how`: `exact` or `contains`.

        The first search of a kind generates all customers, which takes some time.
        """
        with self._lock:
            if name not in self._indexes:
                self._indexes[name] = self._build_index(name)
            normalise = normalise_email if name == "Email" else normalise_phone
            return sorted(self._indexes[name].find(normalise(text), how))

    def list_modified(self, since: str, until: str = "") -> list[int]:
        """Return the customers last updated between these times (ISO 8601, UTC; empty: now), ascending."""
        with self._lock:
            return sorted(key for key, at in self._modified.items() if at >= since and (not until or at <= until))

    def note_listed(self, customer_ids: Iterable[int]) -> None:
        """Change the e-mails of those customers that change once they have been listed."""
        share = self._options.changing_emails
        for customer_id in customer_ids if share else ():
            if _draw(self._options.seed, "changing", customer_id) < share and customer_id not in self._changes:
                self.update(customer_id, {"Email": f"changed.{customer_id}@example.com"}, is_applied=True)

    def list_changes(self) -> dict[int, Customer]:
        """Return, for each changed customer, the fields that were set, with their current values."""
        with self._lock:
            changed = tuple(self._changes)
        return {customer_id: self._read_changes(customer_id) for customer_id in changed}

    def update(self, customer_id: int, updates: Mapping[str, object], *, is_applied: bool) -> None:
        """Set the fields; without `is_applied` only check whether that is allowed.

        Raises `KeyError` if there is no such customer, `ValueError` if a client setting forbids the update.
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
                self._modified[customer_id] = format_utc(time.time())
                self._changes[customer_id] = dump_json(changes)
                for index in self._indexes.values():
                    index.put(customer_id, {**self._generate(customer_id), **changes})

    def _generate(self, customer_id: int) -> Customer:
        customer = make_customer(self._options.seed, customer_id)
        first = customer_id
        while first > self.ids.start and _draw(self._options.seed, "shared", first) < self._options.shared_emails:
            first -= 1
        if first != customer_id:
            customer["Email"] = make_customer(self._options.seed, first)["Email"]
        return customer

    def _build_index(self, name: str) -> SearchIndex:
        index = SearchIndex(emails_of if name == "Email" else phones_of)
        for customer_id in self.ids:
            index.put(customer_id, {**self._generate(customer_id), **self._read_changes(customer_id)})
        return index

    def _read_changes(self, customer_id: int) -> Customer:
        changes = self._changes.get(customer_id)
        return cast(Customer, parse_json(changes)) if changes else {}

    def _set(self, customer_id: int, changes: Customer, name: str, value: object) -> None:
        if value == "":
            if self._options.empty_string == "ignored":
                return
            value = None
        if FIELD_BY_NAME[name].type is ALIASES and self._options.aliases == "append":
            stored = changes[name] if name in changes else self._generate(customer_id)[name]
            value = _append(cast("list[str]", stored), cast("list[str]", value))
        changes[name] = value

    def _require_business_name(self, customer_id: int, changes: Mapping[str, object]) -> None:
        customer = {**self._generate(customer_id), **changes}
        if customer["IsWholesale"] and not customer["BusinessName"]:
            raise ValueError("BusinessName is required for wholesale customers.")


def _draw(seed: int, what: str, customer_id: int) -> float:
    """Return the same random number from 0 to 1 each time."""
    return random.Random(f"{seed}:{what}:{customer_id}").random()


def _append(stored: Iterable[str], added: Iterable[str]) -> list[str]:
    """Return all names in order, without duplicates."""
    return list(dict.fromkeys((*stored, *added)))
