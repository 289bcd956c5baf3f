"""Search the service for customers by a key: with its filter, one request a key, or in all pages of its list.

The service is not trusted (`docs/api.md`, sections Reading many customers and Filters). Whatever it answers, only
customers whose key is the one searched count; an ignored or too broad filter, a repeated last page and a wrong total
cost more requests, but never lead to another customer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bulkupdate.clock import Clock, format_duration
from bulkupdate.customers.field_types import EMAIL
from bulkupdate.customers.fields import Field
from bulkupdate.errors import ServiceDownError, UsageError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.matching.filter_search import UnusableFilterError, require_known, search_by_filter
from bulkupdate.runs.matching.key import Key
from bulkupdate.runs.matching.list_search import read_page, search_list
from bulkupdate.runs.matching.matches import Candidate
from bulkupdate.runs.matching.search_progress import SearchProgress, collect_hits, page_step
from bulkupdate.runs.parallel_requests import WatchRequests
from bulkupdate.runs.tenant.facts import NO_PARTS
from bulkupdate.sellercloud.client import Client
from bulkupdate.text import pluralize

LONGEST_KEPT_SECONDS = 24 * 3600.0
"""How long a stopped search can be continued."""

FOUND_KEPT_SECONDS = 3600.0
"""How long after its beginning other runs may use the results of a search: a file is often checked, then sent."""


def make_search(context: RunContext, key: Key, keys: Sequence[str]) -> CustomerSearch:
    """Return a search for these normalised keys, made as the context's user. Raises `UsageError` as `begin` does."""
    account = f"{context.host}\n{context.settings.username}"
    return CustomerSearch(
        context.client, context.journal, context.clock, account, key, keys, context.settings.concurrency,
        is_filter_unusable=context.profile.find("email_filter") in ("ignored", "finds nothing", NO_PARTS),
    )  # fmt: skip


def require_searchable(key: Key) -> Field:
    """Return the field to search by. Raises `UsageError` if the service cannot be searched by it."""
    if key.field is not None and key.field.type.is_text and len(key.field.list_names) == 1:
        return key.field
    raise UsageError(
        f"The service cannot be searched by {key.name}: every customer would have to be read, with one request each.",
        remedy="`bulkupdate export -o customers.xlsx` reads them once. Give that file, or a list of your own with the "
        f"columns CustomerId and {key.name}: --lookup customers.xlsx.",
    )


@dataclass
class CustomerSearch:
    """One search for these normalised keys: begin it, show its cost, then run it.

    `account` is the service and the login it is made with. `is_filter_unusable`: the service's filter is known not to
    find customers by e-mail, so that its whole list is read at once. `notes` are for the user afterwards. The
    methods raise what the client raises, and `JournalError`.
    """

    client: Client
    journal: Journal
    clock: Clock
    account: str
    key: Key
    keys: Sequence[str]
    concurrency: int
    is_filter_unusable: bool = False
    notes: list[str] = field(default_factory=list)
    _found: dict[str, dict[str, Candidate]] = field(init=False, default_factory=dict)
    _progress: SearchProgress | None = field(init=False, default=None)
    _known: tuple[str, str] = field(init=False, default=("", ""))

    def begin(self) -> int:
        """Return how many requests the search still takes, after at most one that counts the customers.

        Customers that another search for these keys found within the last hour are not searched again. Raises
        `UsageError` if the service cannot be searched by the key.
        """
        self._field = require_searchable(self.key)
        self.journal.delete_searches(self.clock.now() - LONGEST_KEPT_SECONDS)
        self._progress = self._find_progress()
        if self._progress is None:
            return 0
        if self.is_filter_unusable:
            self._progress.refuse_filter()
        if page_step(1) not in self._progress.steps:
            self._read_first_page(self._progress)
        return self._count_requests(self._progress)

    def run(
        self, watch: WatchRequests, say: Callable[[str], None] = lambda _: None
    ) -> Mapping[str, Sequence[Candidate]]:
        """Return the customers of each key that has any. `say` is used if it takes more requests than `begin` said."""
        progress = self._progress
        if progress is not None:
            if self._is_filter_cheaper(progress):
                self._try_filter(progress, watch)
                if progress.is_filter_refused:
                    self._explain_refusal(progress, say)
            if progress.is_filter_refused or progress.list_unasked():
                search_list(self.client, progress, self.concurrency, watch)
                self._confirm_list(progress, watch, say)
            self.journal.finish_search(progress.record.key)
            self._found.update(progress.found)
        return {text: tuple(candidates.values()) for text, candidates in self._found.items()}

    def _find_progress(self) -> SearchProgress | None:
        """Return the search for the keys that no earlier search has found; None if none is left.

        A finished search is used for a while, for keys that have exactly one customer. The others are searched again:
        their customers may have been added or corrected since.
        """
        left = list(dict.fromkeys(self.keys))
        while left:
            record = self.journal.begin_search(self.account, self._field.name, _digest(left), self.clock.now())
            if not record.is_finished:
                return SearchProgress(self.journal, record, self.key, self._field, frozenset(left))
            age = self.clock.now() - record.begun
            hits = collect_hits(record.hits) if age < FOUND_KEPT_SECONDS else {}
            found = {text: customers for text, customers in hits.items() if len(customers) == 1}
            if found:
                count = pluralize(len(found), "customer")
                self.notes.append(f"{count} found by a search {format_duration(age)} ago: not searched again.")
            else:
                self.journal.restart_search(record.key, self.clock.now())
            self._found.update(found)
            left = [text for text in left if text not in found]
        return None

    def _read_first_page(self, progress: SearchProgress) -> None:
        answer = read_page(self.client, 1, self._field)
        progress.add([answer])
        emails = ((str(live.get("Email") or ""), customer_id) for customer_id, live in answer.customers.items())
        self._known = next((known for known in emails if known[0].strip() and known[0].isascii()), ("", ""))

    def _is_filter_cheaper(self, progress: SearchProgress) -> bool:
        if self._field.type is not EMAIL or progress.is_filter_refused:
            return False
        pages = progress.count_pages()
        return pages is None or len(progress.list_unasked()) < len(progress.list_unread())

    def _count_requests(self, progress: SearchProgress) -> int:
        if self._is_filter_cheaper(progress):
            return len(progress.list_unasked())
        return len(progress.list_unread())

    def _try_filter(self, progress: SearchProgress, watch: WatchRequests) -> None:
        try:
            search_by_filter(self.client, progress, self.concurrency, watch)
            if not progress.is_filter_trusted:
                self._check_filter(progress)
        except UnusableFilterError:
            progress.refuse_filter()
        except ServiceDownError:
            self._read_first_page(progress)  # if this is answered, only that key is not: some services refuse `<b>`
            progress.refuse_filter()

    def _explain_refusal(self, progress: SearchProgress, say: Callable[[str], None]) -> None:
        unread = len(progress.list_unread())
        more = f"{pluralize(unread, 'request')} more" if progress.count_pages() else "more requests"
        say(f"The service's e-mail filter cannot be relied on: its whole list is read instead, with {more}.")
        self.notes.append("As the service's e-mail filter cannot be relied on, its whole list was read.")

    def _confirm_list(self, progress: SearchProgress, watch: WatchRequests, say: Callable[[str], None]) -> None:
        """Ask the filter too if the list has shown fewer customers than its total: another may have one of the keys.

        Without a reliable filter only a note remains, as the total itself may be wrong.
        """
        shown = progress.count_shown()
        if progress.total is None or shown >= progress.total:
            return
        shortfall = f"The service's list showed {shown:,} of {pluralize(progress.total, 'customer')}"
        if self._field.type is EMAIL and not progress.is_filter_refused:
            requests = pluralize(len(progress.list_unasked()), "request")
            say(f"{shortfall}: its filter is asked for each key too, with {requests}.")
            self._try_filter(progress, watch)
        if self._field.type is not EMAIL or progress.is_filter_refused:
            self.notes.append(
                f"{shortfall}: a key may have another customer that was not shown. Check the matches before you send."
            )

    def _check_filter(self, progress: SearchProgress) -> None:
        """Check the filter with a customer whose e-mail is known, before a key is said to have no other customer."""
        if not self._known[0]:  # the search was continued
            self._read_first_page(progress)
        if self._known[0]:
            require_known(self.client, *self._known)
            progress.trust_filter()


def _digest(keys: Iterable[str]) -> str:
    """Return a short text that is the same for the same keys in any order."""
    return hashlib.sha256("\n".join(sorted(keys)).encode("utf-8", "surrogatepass")).hexdigest()
