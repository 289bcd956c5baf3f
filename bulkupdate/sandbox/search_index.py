"""Find customers by e-mail or phone number, as the list's filters do or are said to do.

What is known of the filters is in `docs/api.md`, section Filters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

PHONE_FIELDS = ("Phone1", "Phone2", "Phone3", "Mobile")


@dataclass
class SearchIndex:
    """The searchable texts of all customers, and the customers that have them. Not thread-safe: its owner holds a lock.

    `texts_of` returns the texts of a customer, normalised: an e-mail in lower case, a phone number as its digits.
    """

    texts_of: Callable[[dict[str, object]], Iterable[str]]
    _ids: dict[str, set[int]] = field(default_factory=dict)
    _texts: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def put(self, customer_id: int, customer: dict[str, object]) -> None:
        """Add a customer, or replace its texts."""
        for text in self._texts.get(customer_id, ()):
            self._ids[text].discard(customer_id)
        self._texts[customer_id] = tuple(self.texts_of(customer))
        for text in self._texts[customer_id]:
            self._ids.setdefault(text, set()).add(customer_id)

    def find(self, text: str, how: str) -> set[int]:
        """Return the ids of the customers that have this text: `exact`, or as a part (`contains`)."""
        if how == "exact":
            return set(self._ids.get(text, ()))
        return {customer_id for found, ids in self._ids.items() if text in found for customer_id in ids}


def normalise_email(text: str) -> str:
    """Return an e-mail as the filter compares it."""
    return text.strip().casefold()


def normalise_phone(text: str) -> str:
    """Return the digits of a phone number."""
    return re.sub("[^0-9]", "", text)


def emails_of(customer: dict[str, object]) -> list[str]:
    """Return the customer's e-mail, if there is one."""
    return [normalise_email(str(customer["Email"]))] if customer["Email"] else []


def phones_of(customer: dict[str, object]) -> list[str]:
    """Return the customer's phone numbers, without those that have no digit."""
    texts = (normalise_phone(str(customer[name])) for name in PHONE_FIELDS if customer[name])
    return [text for text in texts if text]
