"""Find out how the list filters by e-mail, phone number and time of change.

A list that keeps the last customer of each answer back does not show the only one that a filter finds. Then a part
that several customers have, or the total, tells whether it was found; whole values may remain unseen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bulkupdate.runs.tenant.answers import Questioner, read_id, read_items, read_object
from bulkupdate.runs.tenant.facts import NO_PARTS, Facts

_FUTURE = "2099-01-01T00:00:00Z"
_PHONES = ("Phone1", "Phone2", "Phone3", "Mobile")
_SHORTEST_PHONE_DIGITS = 8

Items = Sequence[dict[str, Any]]


def read_filter_facts(questioner: Questioner, items: Items, is_last_kept_back: bool) -> Facts:
    """Ask about the filters. `items` are the first customers of the list; `is_last_kept_back` as above."""
    filters = _Filters(questioner, items, is_last_kept_back)
    return filters.read_email() | filters.read_modified() | filters.read_phone()


@dataclass(frozen=True)
class _Found:
    """What a filter has found: the customers shown, and whether there were any, which a total may tell, too."""

    items: list[dict[str, Any]]
    is_any: bool


@dataclass(frozen=True)
class _Filters:
    """The filters of the list, tried on `items`, its first customers."""

    questioner: Questioner
    items: Items
    is_last_kept_back: bool

    def read_email(self) -> Facts:
        """Try a whole e-mail in other case, if need be as it is, and its first half."""
        texts = [text for item in self.items if isinstance(text := item.get("Email"), str)]
        emails = [text for text in texts if re.search(".@.", text)]
        if not emails:
            return {}
        email = self._choose_email(emails)
        whole, case = self._ask("email", email.swapcase()), "ignored"
        if whole is not None and not whole.is_any:
            whole, case = self._ask("email", email), "matters"
        parts = (email[: len(email) // 2], email[email.index("@") :])
        part, found = (email, whole) if whole and whole.items and not _have_all(whole, email) else self._find(parts)
        if whole is None or found is None:
            return {}
        if found.is_any:
            if not _have_all(found, part):
                return {"email_filter": "ignored"}
            return {"email_filter": "contains"} | (Facts(email_case=case) if whole.is_any else {})
        if not whole.is_any:
            return {"email_filter": NO_PARTS if self.is_last_kept_back else "finds nothing"}
        return {"email_filter": "case" if case == "matters" else "exact", "email_case": case}

    def _choose_email(self, emails: list[str]) -> str:
        """Return an e-mail: one that two customers share, if one of them is not shown."""
        shared = [email for email in emails if emails.count(email) > 1] if self.is_last_kept_back else []
        return (shared or emails)[-1]

    def read_modified(self) -> Facts:
        """Ask for those changed in the future: there are none."""
        found = self._ask("modifiedOnFrom", _FUTURE)
        return {} if found is None else {"modified_filter": "ignored" if found.is_any else "filters"}

    def read_phone(self) -> Facts:
        """Try a part of a phone number, and if that finds nothing, the whole."""
        digits = self._find_phone()
        if not digits:
            return {}
        _, found = self._find((digits[2 : 3 + len(digits) // 2], digits[-2:]), "phoneNumber")
        if found is None:
            return {}
        if found.is_any:
            ids = [read_id(item) for item in found.items[:-1]]
            is_all = bool(ids) and ids == [read_id(item) for item in self.items[: len(ids)]]
            return {"phone_filter": "ignored" if is_all else "contains"}
        whole = self._ask("phoneNumber", digits)
        if whole is None:
            return {}
        nothing = NO_PARTS if self.is_last_kept_back else "finds nothing"
        return {"phone_filter": "exact" if whole.is_any else nothing}

    def _find_phone(self) -> str:
        """Return the digits of a phone number, of the first two customers that are read; empty for none."""
        ids = [found for item in self.items if re.fullmatch("[1-9][0-9]{0,18}", found := read_id(item) or "")]
        for customer_id in ids[-2:]:
            body = read_object(self.questioner.get("customer", f"Customers/{customer_id}")) or {}
            personal: Any = body.get("Personal")
            for name in _PHONES if isinstance(personal, Mapping) else ():
                digits = re.sub("[^0-9]", "", str(personal.get(name) or ""))
                if len(digits) >= _SHORTEST_PHONE_DIGITS:
                    return digits
        return ""

    def _find(self, parts: tuple[str, str], name: str = "email") -> tuple[str, _Found | None]:
        """Try the first part; the second, which many customers have, only if a single one would not be shown."""
        found = self._ask(name, parts[0])
        if found is None or found.is_any or not self.is_last_kept_back:
            return parts[0], found
        return parts[1], self._ask(name, parts[1])

    def _ask(self, name: str, value: str) -> _Found | None:
        """Return what the filter finds; None if the answer has no list."""
        query = {name: value, "pageNumber": 1, "pageSize": 50}
        answer = self.questioner.get(f"filter {name}", "Customers", query)
        items = read_items(answer)
        if items is None:
            return None
        total = (read_object(answer) or {}).get("TotalResults")
        is_counted = self.is_last_kept_back and isinstance(total, int) and total > 0
        return _Found(items, bool(items) or is_counted)


def _have_all(found: _Found, part: str) -> bool:
    return all(part.casefold() in str(item.get("Email") or "").casefold() for item in found.items)
