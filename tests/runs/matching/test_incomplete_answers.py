"""A service that keeps customers back: the other holder of an e-mail may be among them, so none is taken for sure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import UnreadableListError
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
    liar: Callable[[Received], Reaction], folder: Path, keys: list[str]
) -> tuple[dict[str, set[str]], CustomerSearch]:
    with (
        serve(liar) as service,
        connect(service.base_url, folder) as client,
        Journal(place_of(folder), Clock()) as journal,
    ):
        search = CustomerSearch(client, journal, Clock(), "here", find_key("Email", {}), keys, 4)
        search.begin()
        found = search.run(lambda _count, _waiting: None)
    return {key: {each.customer_id for each in candidates} for key, candidates in found.items()}, search


MANY = [f"c{at}@example.com" for at in range(60)]


@pytest.mark.parametrize("page", [{}, {"Items": None, "TotalResults": 121}, {"Items": [], "TotalResults": 121}])
def test_a_page_kept_back_ends_the_search(tmp_path, page):
    with pytest.raises(UnreadableListError):
        find(Liar(make_customers(), {2: page}), tmp_path, MANY)


def test_if_a_last_page_is_kept_back_the_filter_is_asked_too(tmp_path):
    kept_back = {2: {"Items": [], "TotalResults": 91}}
    found, search = find(Liar(make_customers(90), kept_back), tmp_path, MANY)
    assert (found[SHARED], found["c59@example.com"], search.notes) == ({"1003", "9999"}, {"1059"}, [])
    ignored = {"Items": make_customers(90)[:50], "TotalResults": 91}
    _, search = find(Liar(make_customers(90), kept_back, ignored), tmp_path / "other", MANY)
    assert ["showed 50 of 91 customers" in note for note in search.notes] == [True]


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
