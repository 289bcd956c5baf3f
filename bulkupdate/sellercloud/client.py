"""The client of the Sellercloud API: signs in, updates and reads customers, one method each."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from bulkupdate.chunks import in_chunks
from bulkupdate.clock import Clock
from bulkupdate.customers.fields import Field
from bulkupdate.customers.payload import LISTED, LiveCustomer, flatten_customer, flatten_list_item
from bulkupdate.errors import ServiceDownError, StoppedError, UnreadableListError
from bulkupdate.sellercloud.base_url import TeamLookup, find_base_url
from bulkupdate.sellercloud.pipeline import RequestPipeline
from bulkupdate.sellercloud.rate_limit import WINDOW_SECONDS, Quota
from bulkupdate.sellercloud.read_request import interrupted_error, read, require_object
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retries import RequestHistory, StopRequestedError
from bulkupdate.sellercloud.transport import Request
from bulkupdate.sellercloud.update_result import UpdateResult, classify_stopped_update, classify_update
from bulkupdate.settings import Settings

PAGE_SIZE = 50
"""Customers on one page of the list; the service silently caps it (`docs/api.md`, section Reading many customers)."""

_MOST_CUSTOMERS = 10_000_000
"""A larger `TotalResults` is ignored: reading that many would take weeks of quota."""

_CUSTOMER_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


class Client:
    """The service as one login sees it. Thread-safe; one for each run.

    Once `stop` is set, no new request is sent and all waiting ends. `quota` decides when a request may be sent; see
    `quota.waiting` for what is waited for, `quota.capacity()` for what is left.
    """

    def __init__(
        self,
        settings: Settings,
        base_url: str,
        quota: Quota,
        clock: Clock,
        stop: threading.Event,
        *,
        already_sent: int = 0,
    ) -> None:
        """`base_url` ends in `/rest/api`; `already_sent` requests were needed to find it. Nothing is sent here.

        Raises `UsageError` if certificates or proxy of the environment cannot be used.
        """
        self.base_url = base_url
        self.quota = quota
        self.pipeline = RequestPipeline(settings, base_url, quota, clock, stop, already_sent)
        self.list_filters_ids = True

    def __repr__(self) -> str:
        return f"Client({self.base_url})"

    @property
    def calls(self) -> int:
        """The requests sent so far (since `reset_calls`), including lookup, sign-ins, repeated and throttled ones."""
        return self.pipeline.requests_sent

    def reset_calls(self) -> None:
        """Count requests from 0 again: the next run uses the same client and its sign-in."""
        self.pipeline.requests_sent = 0

    @property
    def signed_in_as(self) -> str:
        """The user name that the service returned at the sign-in; empty before that, or if it returned none."""
        return self.pipeline.username

    def sign_in(self) -> None:
        """Sign in, unless that is done.

        Raises `SignInRefusedError` (after one attempt), `ServiceDownError`, `StoppedError` if the address is not the
        service's, its certificate is bad or the quota file broken, and `InterruptedRunError` once `stop` is set.
        """
        try:
            self.pipeline.sign_in()
        except StopRequestedError:
            raise interrupted_error("signing in") from None

    def update_customer(self, customer_id: str, body: str, *, may_be_applied: bool = False) -> UpdateResult:
        """`PUT Customers/{id}` with that JSON text, byte for byte, as often as needed (`docs/api.md`, section Update).

        `may_be_applied`: an earlier attempt, by a run that stopped, was sent and got no final answer.
        Raises `ValueError` for an invalid id, and nothing else: what must end the run is in the result's `stop`.
        """
        request = Request("PUT", self._url_of(customer_id), body)
        history = RequestHistory(may_be_applied=may_be_applied)
        try:
            self.pipeline.run(request, history)
        except StoppedError as error:
            return classify_stopped_update(history, str(error), error)
        return classify_update(history)

    def read_customer(self, customer_id: str) -> LiveCustomer | None:
        """Return the fields of one customer as the service holds them (`customers/payload.py`); None: no such customer.

        Raises `ValueError` for an invalid id, `ServiceDownError` and other `StoppedError`s if it cannot be read, and
        `InterruptedRunError` once `stop` is set.
        """
        what = f"reading customer {customer_id}"
        response = self._read(self._url_of(customer_id), what)
        if response.verdict is Verdict.REFUSED and response.is_not_found:
            return None
        answer = require_object(response, what)
        general = answer.get("General")
        if isinstance(general, dict) and str(general.get("ID", customer_id)) != customer_id:
            raise ServiceDownError(f"While {what}, the service answered with another customer.")
        return flatten_customer(answer)

    def list_customers(self, customer_ids: Sequence[str]) -> dict[str, LiveCustomer]:
        """Return the list fields of those customers, by id; an id without an entry is unknown to the service.

        Costs one request for fifty. If the service turns out to ignore the ids asked for (`docs/api.md`, section
        Reading many customers), each customer is read separately instead, for one request each.

        Raises as `read_customer` does.
        """
        found: dict[str, LiveCustomer] = {}
        for chunk in in_chunks(dict.fromkeys(customer_ids), PAGE_SIZE):
            found |= self._list_chunk(chunk) if self.list_filters_ids else {}
            if not self.list_filters_ids:
                found |= self._read_each(customer_id for customer_id in chunk if customer_id not in found)
        return found

    def list_page(
        self, number: int, *, email: str = "", modified: tuple[str, str] = ("", ""), fields: Sequence[Field] = LISTED
    ) -> tuple[dict[str, LiveCustomer], int | None]:
        """Return one page of the list of all customers, or of those that the filters find; pages count from 1.

        `modified` is from when until when (ISO 8601, UTC; empty: no limit). `fields` are those wanted, all of the list
        unless given. Returns them by id, empty past the last page, and the number of all customers, None if the service
        does not say. The service may ignore a filter, or return other customers (`docs/api.md`, section Filters).
        Raises as `read_customer` does, and `UnreadableListError` rather than leave a customer out.
        """
        what = "searching customers by e-mail" if email else f"reading page {number} of the customers"
        names = ("model.email", "model.modifiedOnFrom", "model.modifiedOnTo")
        filters = list(zip(names, (email, *modified), strict=True))
        items, total = self._read_list([pair for pair in filters if pair[1]], number, what)
        if items is None and total != 0:
            raise UnreadableListError(f"While {what}, the service answered without a list of customers.")
        by_id = {str(item.get("UserID")): flatten_list_item(item, fields) for item in items or ()}
        if not all(map(_CUSTOMER_ID.fullmatch, by_id)):
            raise UnreadableListError(f"While {what}, the service named a customer without a readable id.")
        return by_id, total

    def close(self) -> None:
        """Close connections and quota file."""
        self.pipeline.close()
        self.quota.close()

    def _list_chunk(self, ids: list[str]) -> dict[str, LiveCustomer]:
        found: dict[str, LiveCustomer] = {}
        requested = set(ids)
        contradictory: set[str] = set()
        for items in self._list_pages(ids):
            for item in items:
                customer_id = str(item.get("UserID", ""))
                if customer_id not in requested:
                    self.list_filters_ids = False
                elif found.setdefault(customer_id, flatten_list_item(item)) != flatten_list_item(item):
                    contradictory.add(customer_id)
            if len(found) == len(requested) or not self.list_filters_ids:
                break
        consistent = {customer_id: fields for customer_id, fields in found.items() if customer_id not in contradictory}
        return consistent | self._read_each(iter(sorted(contradictory)))

    def _list_pages(self, ids: list[str]) -> Iterator[list[dict[str, Any]]]:
        """Yield the pages of the list, until the running count reaches `TotalResults` or a page is empty."""
        seen = 0
        for page in range(1, len(ids) + 1):
            query = [("model.customerIds", _checked(customer_id)) for customer_id in ids]
            objects, total = self._read_list(query, page, f"reading {len(ids)} customers")
            objects = objects or []
            yield objects
            seen += len(objects)
            if not objects or (total is not None and seen >= total):
                return

    def _read_list(
        self, filters: list[tuple[str, str]], page: int, what: str
    ) -> tuple[list[dict[str, Any]] | None, int | None]:
        """Return the items of one page, None if it has no list, and the `TotalResults`, None if it is not credible.

        Without filters, they are those of all customers.
        """
        query = [*filters, ("model.pageNumber", str(page)), ("model.pageSize", str(PAGE_SIZE))]
        response = self._read(f"{self.base_url}/Customers?{urlencode(query)}", what)
        answer = require_object(response, what, UnreadableListError)
        items, total = answer.get("Items"), answer.get("TotalResults")
        objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else None
        return objects, total if isinstance(total, int) and 0 <= total <= _MOST_CUSTOMERS else None

    def _read_each(self, ids: Iterator[str]) -> dict[str, LiveCustomer]:
        read = ((customer_id, self.read_customer(customer_id)) for customer_id in ids)
        return {customer_id: fields for customer_id, fields in read if fields is not None}

    def _read(self, url: str, what: str) -> ApiResponse:
        return read(self.pipeline, url, what)

    def _url_of(self, customer_id: str) -> str:
        return f"{self.base_url}/Customers/{quote(_checked(customer_id), safe='')}"


def open_client(
    settings: Settings,
    clock: Clock,
    stop: threading.Event,
    *,
    window_seconds: float = WINDOW_SECONDS,
    lookup_url: str = "",
) -> Client:
    """Return a client for those settings, with the quota that all processes of the machine share.

    Nothing is sent except the lookup of a team's address.

    Raises `UsageError` if a setting is missing or wrong, `ServiceDownError` if the lookup fails.
    """
    settings.require_connection()
    look_up = TeamLookup(settings, clock, stop, lookup_url)
    base_url = find_base_url(settings, look_up)
    quota = Quota(
        settings.store,
        urlsplit(base_url).netloc,
        settings.username,
        settings.requests_per_hour,
        clock,
        window_seconds=window_seconds,
        request_seconds=settings.timeout,
        egress=settings.egress,
    )
    quota.record(look_up.requests_sent)
    return Client(settings, base_url, quota, clock, stop, already_sent=look_up.requests_sent)


def _checked(customer_id: str) -> str:
    if _CUSTOMER_ID.fullmatch(customer_id) is None:
        raise ValueError(f"{customer_id!r} is not a customer id")
    return customer_id
