"""The progress of a search: the requests answered, and the customers they found; kept in the journal."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bulkupdate.customers.fields import FIELD_BY_NAME, Field
from bulkupdate.customers.payload import LiveCustomer
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.journal.search_table import Hit, SearchRecord
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.matches import Candidate
from bulkupdate.sellercloud.client import PAGE_SIZE

SHOWN_FIELDS = tuple(FIELD_BY_NAME[name] for name in ("Name", "BusinessName", "Email"))
"""The fields by which users recognise a customer."""

_UNUSABLE_FILTER = "filter is unusable"
_TRUSTED_FILTER = "filter finds e-mails written in other letters"

Customers = Mapping[str, LiveCustomer]
"""Customers of the list by their ids."""


@dataclass(frozen=True)
class Answer:
    """An answer of the service: the step it belongs to, its customers, and the total it names, if it names one."""

    step: str
    customers: Customers
    total: int | None = None


@dataclass
class SearchProgress:
    """The progress of one search of a field for these keys.

    A customer counts only if its key, compared here, is one of them.
    """

    journal: Journal
    record: SearchRecord
    key: Key
    field: Field
    keys: frozenset[str]
    total: int | None = dataclasses.field(init=False)
    steps: dict[str, int] = dataclasses.field(init=False)
    found: dict[str, dict[str, Candidate]] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.total = self.record.total
        self.steps = dict(self.record.steps)
        self.found = collect_hits(self.record.hits)

    def add(self, answers: Iterable[Answer]) -> None:
        """Add answers, and record them in one commit."""
        hits: list[Hit] = []
        steps = []
        for answer in answers:
            steps.append((answer.step, len(answer.customers)))
            hits += self._compare(answer.customers)
            self.total = answer.total if _is_page(answer.step) else self.total
        self.journal.record_search(self.record.key, self.total, steps, hits)
        self.steps.update(steps)
        for text, candidates in collect_hits(hits).items():
            self.found.setdefault(text, {}).update(candidates)

    def refuse_filter(self) -> None:
        """Record that the filter of the service cannot be used."""
        self._record(_UNUSABLE_FILTER)

    def trust_filter(self) -> None:
        """Record that the filter has found an e-mail written in other letters: what it lacks is not there."""
        self._record(_TRUSTED_FILTER)

    def _record(self, step: str) -> None:
        self.journal.record_search(self.record.key, self.total, [(step, 0)], [])
        self.steps[step] = 0

    @property
    def is_filter_trusted(self) -> bool:
        """Whether the filter is known to find e-mails written in other letters."""
        return _TRUSTED_FILTER in self.steps

    @property
    def is_filter_refused(self) -> bool:
        """Whether the filter of the service cannot be used."""
        return _UNUSABLE_FILTER in self.steps

    def list_unasked(self) -> list[str]:
        """Return the keys that the filter was not asked for."""
        return sorted(text for text in self.keys if key_step(text) not in self.steps)

    @property
    def page_size(self) -> int:
        """The customers on a full page, which may be fewer than were asked for."""
        return self.steps.get(page_step(1), 0) or PAGE_SIZE

    def count_pages(self) -> int | None:
        """Return the number of pages; None if the service names no total, or one that a full page contradicts."""
        first = self.steps.get(page_step(1), 0)
        if self.total is None or (self.total <= first and first >= PAGE_SIZE):
            return None
        return max(1, -(-self.total // self.page_size))

    def list_unread(self) -> list[int]:
        """Return the pages that were not read, as far as the total is known."""
        return [page for page in range(1, (self.count_pages() or 1) + 1) if page_step(page) not in self.steps]

    def count_read(self) -> int:
        """Return how many pages were read so far."""
        return sum(map(_is_page, self.steps))

    def count_shown(self) -> int:
        """Return how many customers the pages read so far have shown; those of a repeated page count again."""
        return sum(size for step, size in self.steps.items() if _is_page(step))

    def may_have_more_pages(self) -> bool:
        """Return whether there may be a page after the last one that was read.

        The total is trusted if the pages have shown that many customers. After a full last page it may still be too
        low, so one more page is read while a key has no customer.
        """
        seen = self.count_shown()
        is_last_full = self.steps.get(page_step(self.count_read()), 0) >= self.page_size
        if self.total is None or seen < self.total:
            return True
        is_doubtful = seen > self.total or self.total <= self.page_size or len(self.found) < len(self.keys)
        return is_last_full and is_doubtful

    def _compare(self, customers: Customers) -> Iterable[Hit]:
        for customer_id, live in customers.items():
            text = self.key.normalise(str(live.get(self.field.name) or ""))
            if text in self.keys:
                name, business_name, email = (str(live.get(shown.name) or "") for shown in SHOWN_FIELDS)
                yield Hit(text, customer_id, name, business_name, email)


def collect_hits(hits: Iterable[Hit]) -> dict[str, dict[str, Candidate]]:
    """Return the candidates of each key, by id."""
    found: dict[str, dict[str, Candidate]] = defaultdict(dict)
    for hit in hits:
        found[hit.wanted][hit.customer_id] = Candidate(hit.customer_id, hit.name, hit.business_name, hit.email)
    return dict(found)


def page_step(number: int) -> str:
    """Return the name of the step that reads a page of the list."""
    return f"page {number}"


def _is_page(step: str) -> bool:
    return step.startswith("page ")


def key_step(text: str) -> str:
    """Return the name of the step that asks the filter for a key."""
    return f"key {text}"
