"""The client of the Sellercloud API: signs in, updates and reads customers, one method each."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from bulkupdate.clock import Clock
from bulkupdate.customers.payload import LiveCustomer, flatten_customer, flatten_list_item
from bulkupdate.errors import InterruptedRunError, ServiceDownError, StoppedError
from bulkupdate.sellercloud.base_url import LOOKUP_URL, Lookup, find_base_url
from bulkupdate.sellercloud.pipeline import RequestPipeline
from bulkupdate.sellercloud.rate_limit import WINDOW_SECONDS, Quota
from bulkupdate.sellercloud.response import ApiResponse, Verdict
from bulkupdate.sellercloud.retry import RequestHistory, StopRequestedError
from bulkupdate.sellercloud.transport import Request
from bulkupdate.sellercloud.update_result import Answer, AnswerKind, classify_stopped_update, classify_update
from bulkupdate.settings import Settings

__all__ = ["Answer", "AnswerKind", "Client", "open_client"]

PAGE_SIZE = 50
"""Customers on one page of the list; more are cut silently (`docs/api.md`, section Reading many customers)."""


class Client:
    """Speaks to one service with one login. Thread-safe; one for a run.

    Once `stop` is set, no new request is sent and all waiting ends. `quota` decides when a request may be sent; see
    `quota.waiting` for what is waited for, `quota.room()` for what is left.
    """

    def __init__(
        self, settings: Settings, base_url: str, quota: Quota, clock: Clock, stop: threading.Event, *, calls: int = 0
    ) -> None:
        """`base_url` ends in `/rest/api`; `calls` were sent to find it. Nothing is sent here.

        Raises `UsageError` where certificates or proxy of the environment cannot be used.
        """
        self.base_url = base_url
        self.quota = quota
        self._exchange = RequestPipeline(settings, base_url, quota, clock, stop, calls)
        self._list_obeys_ids = True

    def __repr__(self) -> str:
        return f"Client({self.base_url})"

    @property
    def calls(self) -> int:
        """The requests really sent so far: lookup, sign-ins, tries and throttled ones included."""
        return self._exchange.calls

    def sign_in(self) -> None:
        """Sign in, unless that is done.

        Raises `SignInRefusedError` (after one try), `ServiceDownError`, `StoppedError` where the address is no
        service's, the certificate is bad or the quota file broken, and `InterruptedRunError` once `stop` is set.
        """
        try:
            self._exchange.sign_in()
        except StopRequestedError:
            raise _interrupted("signing in") from None

    def update_customer(self, customer_id: str, body: str, *, may_be_applied: bool = False) -> Answer:
        """`PUT Customers/{id}` with that JSON text, byte for byte, as often as it takes.

        `may_be_applied`: an earlier try of it, by a run that stopped, was sent and brought no final answer.
        Raises `ValueError` for an id that is none, and nothing else: what must end the run is in the answer's `stop`.
        """
        request = Request("PUT", self._url_of(customer_id), body)
        course = RequestHistory(may_be_applied=may_be_applied)
        try:
            self._exchange.run(request, course)
        except StopRequestedError:
            course.was_stopped = True
        except StoppedError as error:
            return classify_stopped_update(course, str(error), error)
        return classify_update(course)

    def read_customer(self, customer_id: str) -> LiveCustomer | None:
        """Return the fields of one customer as the service holds them (`customers/payload.py`); None: no such customer.

        Raises `ValueError` for an id that is none, `ServiceDownError` and other `StoppedError`s where it cannot be
        read, and `InterruptedRunError` once `stop` is set.
        """
        what = f"reading customer {customer_id}"
        reply = self._read(self._url_of(customer_id), what)
        if reply.verdict is Verdict.REFUSED and reply.is_not_found:
            return None
        answer = _accepted_object(reply, what)
        general = answer.get("General")
        if isinstance(general, dict) and str(general.get("ID", customer_id)) != customer_id:
            raise ServiceDownError(f"While {what}, the service answered with another customer.")
        return flatten_customer(answer)

    def list_customers(self, customer_ids: Sequence[str]) -> dict[str, LiveCustomer]:
        """Return the list answer's fields of those customers, by id; an id that is not in it is unknown to the service.

        Costs one call for fifty. Where a service turns out to ignore the ids asked for (that it keeps to them is
        likely only), each customer is read by itself instead: then `list_obeys_ids` is False, and it costs a call each.

        Raises as `read_customer` does.
        """
        found: dict[str, LiveCustomer] = {}
        remaining = iter(dict.fromkeys(customer_ids))
        while chunk := list(islice(remaining, PAGE_SIZE)):
            found |= self._list_chunk(chunk) if self._list_obeys_ids else {}
            if not self._list_obeys_ids:
                found |= self._read_each(each for each in chunk if each not in found)
        return found

    def list_page(self, number: int) -> tuple[dict[str, LiveCustomer], int | None]:
        """Return one page of the list of all customers; pages count from 1.

        The customers' list fields come by id, none past the last page, with how many customers there are in all, None
        if the service does not say. Raises as `read_customer` does.
        """
        items, total = self._read_list([], number, f"reading page {number} of the customers")
        by_id = {str(item.get("UserID")): flatten_list_item(item) for item in items}
        return {each: fields for each, fields in by_id.items() if _CUSTOMER_ID.fullmatch(each)}, total

    @property
    def list_obeys_ids(self) -> bool:
        """Whether the list answer has, as far as seen, held only the customers asked for."""
        return self._list_obeys_ids

    def close(self) -> None:
        """Close connections and quota file."""
        self._exchange.close()
        self.quota.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _list_chunk(self, ids: list[str]) -> dict[str, LiveCustomer]:
        found: dict[str, LiveCustomer] = {}
        wanted = set(ids)
        doubtful: set[str] = set()
        for items in self._list_pages(ids):
            for item in items:
                customer_id = str(item.get("UserID", ""))
                if customer_id not in wanted:
                    self._list_obeys_ids = False
                elif found.setdefault(customer_id, flatten_list_item(item)) != flatten_list_item(item):
                    doubtful.add(customer_id)
            if len(found) == len(wanted) or not self._list_obeys_ids:
                break
        believed = {customer_id: fields for customer_id, fields in found.items() if customer_id not in doubtful}
        return believed | self._read_each(iter(sorted(doubtful)))

    def _list_pages(self, ids: list[str]) -> Iterator[list[dict[str, Any]]]:
        """Yield the pages of the list answer, until the running count reaches `TotalResults` or a page is empty."""
        seen = 0
        for page in range(1, len(ids) + 1):
            objects, total = self._read_list(ids, page, f"reading {len(ids)} customers")
            yield objects
            seen += len(objects)
            if not objects or (total is not None and seen >= total):
                return

    def _read_list(self, ids: list[str], page: int, what: str) -> tuple[list[dict[str, Any]], int | None]:
        """Return the items of one page, and the `TotalResults`; no ids ask for all customers."""
        query = [("model.customerIds", _checked(each)) for each in ids]
        query += [("model.pageNumber", str(page)), ("model.pageSize", str(PAGE_SIZE))]
        answer = _accepted_object(self._read(f"{self.base_url}/Customers?{urlencode(query)}", what), what)
        items, total = answer.get("Items"), answer.get("TotalResults")
        objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        return objects, total if isinstance(total, int) else None

    def _read_each(self, ids: Iterator[str]) -> dict[str, LiveCustomer]:
        read = ((each, self.read_customer(each)) for each in ids)
        return {customer_id: fields for customer_id, fields in read if fields is not None}

    def _read(self, url: str, what: str) -> ApiResponse:
        course = RequestHistory()
        try:
            self._exchange.run(Request("GET", url, expects_json_object=True), course)
        except StopRequestedError:
            course.was_stopped = True
        if course.was_stopped:
            raise _interrupted(what)
        if course.reply is None or course.reply.verdict is Verdict.TRANSIENT:
            raise ServiceDownError(
                f"{what.capitalize()} failed {course.attempts} times, at last with: {course.describe()}.",
                remedy="Try again when the service is back.",
            )
        return course.reply

    # --- sending ------------------------------------------------------------------------------------------------------

    def _url_of(self, customer_id: str) -> str:
        return f"{self.base_url}/Customers/{quote(_checked(customer_id), safe='')}"


def open_client(
    settings: Settings,
    clock: Clock,
    stop: threading.Event,
    *,
    window_seconds: float = WINDOW_SECONDS,
    lookup_url: str = LOOKUP_URL,
) -> Client:
    """Return a client for those settings, with the quota that all processes of the machine share.

    Nothing is sent but the lookup of a team's address.

    Raises `UsageError` where the settings lack something or name no service, `ServiceDownError` where the lookup fails.
    """
    settings.require_connection()

    look_up = Lookup(settings, lookup_url, clock, stop)
    base_url = find_base_url(settings, look_up)
    quota = Quota(
        settings.state_dir,
        urlsplit(base_url).netloc,
        settings.username,
        settings.requests_per_hour,
        clock,
        window_seconds=window_seconds,
        request_seconds=settings.timeout,
    )
    quota.record(look_up.calls)
    return Client(settings, base_url, quota, clock, stop, calls=look_up.calls)


_CUSTOMER_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


def _checked(customer_id: str) -> str:
    if _CUSTOMER_ID.fullmatch(customer_id) is None:
        raise ValueError(f"{customer_id!r} is no customer id")
    return customer_id


def _accepted_object(reply: ApiResponse, what: str) -> dict[str, Any]:
    """Return the JSON object of an accepted answer; raises `ServiceDownError` where it is none."""
    if reply.verdict is not Verdict.ACCEPTED:
        raise ServiceDownError(f"While {what}, the service answered {reply.status} {reply.message}".rstrip() + ".")
    answer: dict[str, Any] = reply.read_json()
    return answer


def _interrupted(what: str) -> InterruptedRunError:
    return InterruptedRunError(f"Stopped before {what}.")
