"""A service that keeps customers back: the other holder of an e-mail may be among them, so none is taken for sure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import ServiceDownError, UnreadableListError
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.matching.key import find_key
from bulkupdate.runs.matching.search import CustomerSearch
from tests.postgres import place_of
from tests.sellercloud.scripted import Reaction, Received, connect, serve

SHARED = "c3@example.com"
PAGE = 50


def make_customers(count: int = 120) -> list[dict[str, Any]]:
    """Customers of ids from 1000; on the second page, 9999 has the e-mail of 1003."""
    customers = [{"UserID": 1000 + at, "Email": f"c{at}@example.com"} for at in range(count)]
    return [*customers[:60], {"UserID": 9999, "Email": SHARED}, *customers[60:]]


class Liar:
    """Answers list requests honestly, but for what `pages` (by number) and `filtered` put in their place."""

    def __init__(self, customers: list[dict[str, Any]], pages: dict[int, Any], filtered: Any = None) -> None:
        self.customers, self.pages, self.filtered = customers, pages, filtered

    def __call__(self, request: Received) -> Reaction:
        query = parse_qs(urlsplit(request.path).query)
        number, email = int(query["model.pageNumber"][0]), query.get("model.email", [""])[0]
        if email and self.filtered is not None:
            return Reaction(body=self.filtered if number == 1 else {"Items": [], "TotalResults": 0})
        if not email and number in self.pages:
            return Reaction(body=self.pages[number])
        held = [each for each in self.customers if not email or each["Email"].lower() == email.lower()]
        return Reaction(body={"Items": held[(number - 1) * PAGE : number * PAGE], "TotalResults": len(held)})


def find(
    liar: Callable[[Received], Reaction],
    folder: Path,
    keys: list[str],
    say: Callable[[str], None] = lambda _: None,
) -> tuple[dict[str, set[str]], CustomerSearch]:
    with (
        serve(liar) as service,
        connect(service.base_url, folder) as client,
        Journal(place_of(folder), Clock()) as journal,
    ):
        search = CustomerSearch(client, journal, Clock(), "here", find_key("Email", {}), keys, 4)
        search.begin()
        found = search.run(lambda _count, _waiting: None, say)
    return {key: {each.customer_id for each in candidates} for key, candidates in found.items()}, search


MANY = [f"c{at}@example.com" for at in range(60)]


@pytest.mark.parametrize("page", [{}, {"Items": None, "TotalResults": 121}, {"Items": [], "TotalResults": 121}])
def test_a_page_kept_back_ends_the_search(tmp_path, page):
    with pytest.raises(UnreadableListError) as caught:
        find(Liar(make_customers(), {2: page}), tmp_path, MANY)
    if page.get("Items") == []:
        assert str(caught.value) == "Page 2 of the service's list of customers is empty, though customers follow."
        assert "--lookup" in str(caught.value.remedy)


def test_if_a_last_page_is_kept_back_the_filter_is_asked_too(tmp_path):
    kept_back = {2: {"Items": [], "TotalResults": 91}}
    said: list[str] = []
    found, search = find(Liar(make_customers(90), kept_back), tmp_path, MANY, said.append)
    assert said == [
        "The service's list showed 50 of 91 customers: its filter is asked for each key too, with 60 requests."
    ]
    assert (found[SHARED], found["c59@example.com"], search.notes) == ({"1003", "9999"}, {"1059"}, [])
    ignored = {"Items": make_customers(90)[:50], "TotalResults": 91}
    _, search = find(Liar(make_customers(90), kept_back, ignored), tmp_path / "other", MANY)
    assert search.notes[-1] == (
        "The service's list showed 50 of 91 customers: a key may have another customer that was not shown. Check the "
        "matches before you send."
    )


@pytest.mark.parametrize("user_id", [None, 163.5, "0077", ""])
@pytest.mark.parametrize("keys", [[SHARED], MANY])
def test_a_customer_without_a_readable_id_is_not_passed_over(tmp_path, user_id, keys):
    customers = [*make_customers(), {"UserID": user_id, "Email": SHARED}]
    with pytest.raises(UnreadableListError):
        find(Liar(customers, {}), tmp_path, keys)


ONE_OF_TWO = {"Items": [{"UserID": 1003, "Email": SHARED}], "TotalResults": 2}


@pytest.mark.parametrize(
    "filtered",
    [{}, {"Items": None}, {"Items": [], "TotalResults": 0}, ONE_OF_TWO],
    ids=["{}", "null", "none", "1 of 2"],
)
def test_a_filter_that_keeps_customers_back_is_not_relied_on(tmp_path, filtered):
    found, _ = find(Liar(make_customers(), {}, filtered), tmp_path, [SHARED])
    assert found[SHARED] == {"1003", "9999"}


@pytest.mark.parametrize("status", [400, 500])
def test_a_key_that_the_filter_refuses_is_searched_in_the_list(tmp_path, status):
    def refuse(request: Received) -> Reaction:
        return Reaction(status) if "%3cb%3e" in request.path.lower() else honest(request)

    honest = Liar([*make_customers(), {"UserID": 7, "Email": "<b>@x.com"}], {})
    found, search = find(refuse, tmp_path, ["<b>@x.com"])
    assert found == {"<b>@x.com": {"7"}}
    assert "cannot be relied on" in search.notes[0]


def test_a_total_beyond_belief_is_not_believed(tmp_path):
    customers = make_customers()
    pages = {
        number: {"Items": customers[(number - 1) * PAGE : number * PAGE], "TotalResults": 10**15}
        for number in range(1, 5)
    }
    found, _ = find(Liar(customers, pages), tmp_path, MANY)
    assert found[SHARED] == {"1003", "9999"}


class Recording(Liar):
    def __init__(self, customers: list[dict[str, Any]], pages: dict[int, Any], filtered: Any = None) -> None:
        super().__init__(customers, pages, filtered)
        self.paths: list[str] = []

    def __call__(self, request: Received) -> Reaction:
        self.paths.append(request.path)
        return super().__call__(request)

    def count(self) -> tuple[int, int]:
        """How many pages were read, and how many requests the filter had."""
        filtered = ["model.email" in path for path in self.paths]
        return filtered.count(False), filtered.count(True)


def make_list(count: int) -> list[dict[str, Any]]:
    return [{"UserID": 1000 + at, "Email": f"c{at}@example.com"} for at in range(count)]


@pytest.mark.parametrize(
    ("count", "keys", "asked"),
    [
        (200, 3, (5, 0)), (200, 2, (1, 2)), (151, 2, (1, 2)), (150, 2, (4, 0)), (170, 4, (4, 0)), (50, 5, (1, 5)),
        (49, 5, (2, 0)), (1, 1, (2, 0)),
    ],
)  # fmt: skip
def test_the_way_with_fewer_requests_is_taken(tmp_path, count, keys, asked):
    """A full last page may be followed by another, even if the total says otherwise, so one more is read."""
    service = Recording(make_list(count), {})
    found, search = find(service, tmp_path, [f"c{at}@example.com" for at in range(keys - 1)] + ["nobody@example.com"])
    assert (len(found), search.notes) == (keys - 1, [])
    assert service.count() == asked


@pytest.mark.parametrize(("shared", "is_refused"), [(149, False), (150, True)])
def test_a_filter_that_finds_more_than_three_pages_is_too_broad(tmp_path, shared, is_refused):
    customers = [*make_list(110), *({"UserID": 5000 + at, "Email": SHARED} for at in range(shared - 1))]
    found, search = find(Recording(customers, {}), tmp_path, [SHARED])
    assert len(found[SHARED]) == shared
    assert bool(search.notes) is is_refused


def test_without_a_total_it_is_not_said_how_many_requests_are_more(tmp_path):
    said: list[str] = []
    customers = make_list(60)
    pages = {1: {"Items": customers[:50]}, 2: {"Items": customers[50:]}, 3: {"Items": []}}
    ignored = {"Items": customers[:50]}
    found, _ = find(Liar(customers, pages, ignored), tmp_path, ["c55@example.com"], said.append)
    assert found == {"c55@example.com": {"1055"}}
    assert said == [
        "The service's e-mail filter cannot be relied on: its whole list is read instead, with more requests."
    ]


def test_a_service_that_is_down_is_no_unusable_filter(tmp_path):
    honest = Liar(make_customers(), {})
    answers = iter(range(10))
    with pytest.raises(ServiceDownError):
        find(lambda request: Reaction(503) if next(answers, 1) else honest(request), tmp_path, [SHARED])
