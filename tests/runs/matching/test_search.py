"""Searching the service by key: what it costs, and that whatever the service answers, only true matches count."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulkupdate.clock import Clock
from bulkupdate.errors import UnreadableListError, UsageError
from bulkupdate.redaction import Secret
from bulkupdate.runs.journal import Journal
from bulkupdate.runs.matching.key import Key, find_key
from bulkupdate.runs.matching.matches import Candidate
from bulkupdate.runs.matching.search import CustomerSearch
from bulkupdate.runs.retention import delete_runs_before
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.sellercloud.client import Client, open_client
from bulkupdate.settings import Settings
from tests.postgres import place_of
from tests.runs.test_retention import LaterClock
from tests.sellercloud.scripted import TurnedClock

EMAIL = find_key("Email", {})


@contextmanager
def open_search(sandbox: Sandbox, folder: Path) -> Iterator[tuple[Client, Journal]]:
    given = Settings(
        base_url=sandbox.base_url, username="sandbox", password=Secret("sandbox"), state_dir=folder, retry_wait=0.0,
        requests_per_hour=0, concurrency=4,
    )  # fmt: skip
    client = open_client(given, Clock(), threading.Event())
    with Journal(place_of(folder), Clock()) as journal:
        yield client, journal
    client.close()


def search(
    sandbox: Sandbox, folder: Path, keys: Sequence[str], key: Key = EMAIL
) -> tuple[Mapping[str, Sequence[Candidate]], int]:
    """The customers found, and the requests that `begin` announced."""
    with open_search(sandbox, folder) as (client, journal):
        found = CustomerSearch(client, journal, Clock(), "here\nme", key, keys, 4)
        cost = found.begin()
        return found.run(lambda _count, _waiting: None), cost


def emails_of(sandbox: Sandbox) -> dict[int, str]:
    customers = {customer_id: sandbox.customer(customer_id) or {} for customer_id in sandbox.service.registry.ids}
    return {customer_id: str(customer["Email"]) for customer_id, customer in customers.items()}


def capitalise_shared(sandbox: Sandbox) -> None:
    """Write the e-mails that several customers share in other letters."""
    known: set[str] = set()
    for customer_id, email in emails_of(sandbox).items():
        if email in known:
            sandbox.service.registry.update(customer_id, {"Email": email.upper()}, is_applied=True)
        known.add(email)


def count_lists(sandbox: Sandbox) -> int:
    return int(str(sandbox.counts["lists"]))


def ids_by_key(found: Mapping[str, Sequence[Candidate]]) -> dict[str, set[str]]:
    return {text: {candidate.customer_id for candidate in candidates} for text, candidates in found.items()}


def test_many_keys_cost_as_many_requests_as_the_list_has_pages(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=230)
    emails = emails_of(sandbox)
    keys = [email.lower() for email in list(emails.values())[:100]]
    found, cost = search(sandbox, tmp_path, keys)
    assert (cost, count_lists(sandbox)) == (4, 5), "one page of five was read to count the customers"
    assert ids_by_key(found) == {email.lower(): {str(each)} for each, email in list(emails.items())[:100]}
    for [candidate] in found.values():
        customer = sandbox.customer(candidate.customer_id) or {}
        shown = {"Name": candidate.name, "BusinessName": candidate.business_name, "Email": candidate.email}
        assert shown == {name: customer[name] or "" for name in shown}


def test_few_keys_cost_a_request_each_and_one_to_count_the_customers(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=500)
    keys = [email.lower() for email in list(emails_of(sandbox).values())[:3]]
    found, cost = search(sandbox, tmp_path, keys)
    assert (cost, count_lists(sandbox)) == (3, 4)
    assert set(found) == set(keys)


def test_a_full_last_page_costs_a_request_more_only_if_a_key_is_not_found(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=100)
    keys = [email.lower() for email in list(emails_of(sandbox).values())[:10]]
    search(sandbox, tmp_path, keys)
    assert count_lists(sandbox) == 2
    search(sandbox, tmp_path, [*keys, "nobody@example.com", "noone@example.com", "none@example.com"])
    assert count_lists(sandbox) == 2 + 3


def test_a_list_of_one_full_page_may_have_more_whatever_its_total_says(make_sandbox: Any, tmp_path: Path) -> None:
    """The total may be that of the page. So keys are asked for one by one; if that does not work, page by page."""
    sandbox = make_sandbox(customers=50, email_filter="ignored")
    search(sandbox, tmp_path, [email.lower() for email in emails_of(sandbox).values()])
    assert "pageNumber=2" in sandbox.requests[-1].query


def test_an_empty_second_page_does_not_prove_that_the_first_is_all(make_sandbox: Any, tmp_path: Path) -> None:
    """It may have been kept back. Only asking for each key shows that one of them has a second customer."""
    sandbox = make_sandbox(customers=150, total_results="page", kept_back="page")
    first, last = sandbox.service.registry.ids[3], sandbox.service.registry.ids[121]
    for customer_id in (first, last):
        sandbox.service.registry.update(customer_id, {"Email": "two@example.com"}, is_applied=True)
    found, _ = search(sandbox, tmp_path, ["two@example.com", emails_of(sandbox)[last - 1].lower()])
    assert ids_by_key(found)["two@example.com"] == {str(first), str(last)}
    assert len(found) == 2


def test_what_was_found_is_not_searched_again_and_what_was_not_is(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=500)
    known, new = next(iter(emails_of(sandbox).values())).lower(), "new@example.com"
    found, _ = search(sandbox, tmp_path, [known, new])
    assert set(found) == {known}
    before = count_lists(sandbox)
    assert search(sandbox, tmp_path, [known])[1] == 1, "another set of keys is another search"
    sandbox.service.registry.update(sandbox.options.first_customer_id + 9, {"Email": new}, is_applied=True)
    before = count_lists(sandbox)
    found, cost = search(sandbox, tmp_path, [known, new])
    assert (set(found), cost) == ({known, new}, 1)
    assert count_lists(sandbox) - before == 2
    before = count_lists(sandbox)
    found, cost = search(sandbox, tmp_path, [new, known])
    assert (set(found), cost, count_lists(sandbox) - before) == ({known, new}, 0, 0)


def test_what_was_found_an_hour_ago_is_searched_again(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=500)
    (first, email), (second, _) = list(emails_of(sandbox).items())[:2]
    search(sandbox, tmp_path, [email.lower()])
    for customer_id, text in ((first, "moved@example.com"), (second, email)):
        sandbox.service.registry.update(customer_id, {"Email": text}, is_applied=True)
    with open_search(sandbox, tmp_path) as (client, journal):
        later = CustomerSearch(client, journal, LaterClock(3601), "here\nme", EMAIL, [email.lower()], 4)
        later.begin()
        found = later.run(lambda _count, _waiting: None)
    assert [each.customer_id for each in found[email.lower()]] == [str(second)]


@pytest.mark.parametrize(("age", "note"), [(3540.0, "1 customer found by a search 59 min ago: not searched again."),
                                          (3600.0, None)])  # fmt: skip
def test_what_was_found_is_used_for_an_hour(make_sandbox: Any, tmp_path: Path, age: float, note: str | None) -> None:
    sandbox, clock = make_sandbox(customers=500), TurnedClock()
    email = emails_of(sandbox)[sandbox.options.first_customer_id].lower()
    with open_search(sandbox, tmp_path) as (client, journal):
        for cost in (1, 0 if note else 1):
            found = CustomerSearch(client, journal, clock, "here\nme", EMAIL, [email], 4)
            assert found.begin() == cost
            assert set(found.run(lambda _count, _waiting: None)) == {email}
            clock.advance(age)
    assert found.notes == ([note] if note else [])


@pytest.mark.parametrize(("age", "lists"), [(86_400.0, 1), (86_401.0, 2)])
def test_a_search_that_was_stopped_can_be_continued_for_a_day(
    make_sandbox: Any, tmp_path: Path, age: float, lists: int
) -> None:
    sandbox, clock = make_sandbox(customers=500), TurnedClock()
    with open_search(sandbox, tmp_path) as (client, journal):
        for _ in range(2):
            assert CustomerSearch(client, journal, clock, "here\nme", EMAIL, ["a@x.com", "b@x.com"], 4).begin() == 2
            clock.advance(age)
    assert count_lists(sandbox) == lists


def test_the_search_of_another_login_is_another(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=500)
    email = emails_of(sandbox)[sandbox.options.first_customer_id].lower()
    search(sandbox, tmp_path, [email])
    with open_search(sandbox, tmp_path) as (client, journal):
        assert CustomerSearch(client, journal, Clock(), "here\nother", EMAIL, [email], 4).begin() == 1


def test_a_filter_known_to_be_unusable_is_not_asked(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=230)
    email = emails_of(sandbox)[sandbox.options.first_customer_id].lower()
    with open_search(sandbox, tmp_path) as (client, journal):
        found = CustomerSearch(client, journal, Clock(), "x", EMAIL, [email], 4, is_filter_unusable=True)
        assert found.begin() == 4
        assert set(found.run(lambda _count, _waiting: None)) == {email}
    assert not [each for each in sandbox.requests if "model.email" in each.query]


def test_a_filter_that_is_ignored_is_said_before_the_list_is_read(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=500, email_filter="ignored")
    keys = [email.lower() for email in list(emails_of(sandbox).values())[:3]]
    said: list[tuple[str, int]] = []
    with open_search(sandbox, tmp_path) as (client, journal):
        search = CustomerSearch(client, journal, Clock(), "here", EMAIL, keys, 4)
        search.begin()
        found = search.run(lambda _count, _waiting: None, lambda text: said.append((text, count_lists(sandbox))))
    assert set(found) == set(keys)
    [(text, requests)] = said
    assert ("with 9 requests more" in text, requests, count_lists(sandbox)) == (True, 2, 11)
    assert search.notes == ["As the service's e-mail filter cannot be relied on, its whole list was read."]


def test_a_search_is_deleted_with_old_runs(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=60)
    email = next(iter(emails_of(sandbox).values())).lower()
    search(sandbox, tmp_path, [email])
    with open_search(sandbox, tmp_path) as (_, journal):
        assert journal.select("SELECT count(*) FROM search_hits") == [(1,)]
        delete_runs_before(journal, tmp_path, Clock().now() + 1)
    assert not any(email.encode() in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_a_field_that_the_list_has_is_searched_in_its_pages(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=60)
    sandbox.service.registry.update(sandbox.options.first_customer_id, {"BusinessName": "Only One"}, is_applied=True)
    found, cost = search(sandbox, tmp_path, ["Only One", "only one"], find_key("Business Name", {}))
    assert (ids_by_key(found), cost) == ({"Only One": {str(sandbox.options.first_customer_id)}}, 1)


def test_a_filter_that_minds_case_does_not_hide_the_other_holder(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=500, email_filter="case")
    first = sandbox.options.first_customer_id
    email = emails_of(sandbox)[first]
    sandbox.service.registry.update(first + 300, {"Email": email.upper()}, is_applied=True)
    found, _ = search(sandbox, tmp_path, [email])
    assert ids_by_key(found) == {email: {str(first), str(first + 300)}}


def test_a_filter_that_has_found_nobody_is_tried_with_a_customer_who_is_known(
    make_sandbox: Any, tmp_path: Path
) -> None:
    """It minds case: the one who has the key in other letters would be said not to exist."""
    sandbox = make_sandbox(customers=500, email_filter="case")
    holder = sandbox.options.first_customer_id + 300
    sandbox.service.registry.update(holder, {"Email": "ZOE@EXAMPLE.COM"}, is_applied=True)
    found, cost = search(sandbox, tmp_path, ["adam@example.com", "zoe@example.com"])
    assert ids_by_key(found) == {"zoe@example.com": {str(holder)}}
    assert (cost, count_lists(sandbox)) == (2, 1 + 2 + 1 + 9 + 1), "page 1, the filter, its trial, pages 2 to 11"


def test_keys_that_nobody_has_cost_a_request_each_and_the_trial_of_the_filter(
    make_sandbox: Any, tmp_path: Path
) -> None:
    sandbox = make_sandbox(customers=500)
    found, _ = search(sandbox, tmp_path, ["adam@example.org", "zoe@example.org"])
    assert (found, count_lists(sandbox)) == ({}, 1 + 2 + 1)


def test_a_filter_that_leaves_out_whom_the_list_has_shown_is_not_relied_on(make_sandbox: Any, tmp_path: Path) -> None:
    """Who has the key in other letters further on in the list would not be found either."""
    sandbox = make_sandbox(customers=500, email_filter="case")
    holders = [sandbox.options.first_customer_id + at for at in (5, 300)]
    for holder in holders:
        sandbox.service.registry.update(holder, {"Email": "ZOE@EXAMPLE.COM"}, is_applied=True)
    found, _ = search(sandbox, tmp_path, ["adam@example.com", "zoe@example.com"])
    assert ids_by_key(found) == {"zoe@example.com": set(map(str, holders))}


def test_a_last_page_that_comes_again_ends_the_search(make_sandbox: Any, tmp_path: Path) -> None:
    sandbox = make_sandbox(customers=100, repeat_last_page=True)
    counted: list[int] = []
    with open_search(sandbox, tmp_path) as (client, journal):
        names = find_key("Business Name", {})
        searched = CustomerSearch(client, journal, Clock(), "here", names, ["No Such Name"], 4)
        searched.begin()
        assert searched.run(lambda count, _waiting: counted.append(count)) == {}
    assert count_lists(sandbox) == 1 + sum(counted) == 3, "the first page counts the customers"


@pytest.mark.parametrize("name", ["SourceId", "Phone1", "Name", "Kundennr"])
def test_a_key_that_the_list_lacks_needs_a_lookup_sheet(sandbox: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="one request each") as caught:
        search(sandbox, tmp_path, ["x"], find_key(name, {}))
    assert "export" in str(caught.value.remedy)
    assert not sandbox.requests


LIES = st.fixed_dictionaries(
    {
        "email_filter": st.sampled_from(["exact", "case", "contains", "ignored"]),
        "total_results": st.sampled_from(["right", "half", "twice", "page", "missing"]),
        "repeat_last_page": st.booleans(),
        "page_size_cap": st.sampled_from([3, 7, 50, 500]),
        "shared_emails": st.sampled_from([0.0, 0.2]),
        "changing_emails": st.sampled_from([0.0, 0.0, 0.5]),
        "phone_filter": st.sampled_from(["exact", "contains", "ignored"]),
        "list_filter": st.booleans(),
        "kept_back": st.sampled_from(["nothing", "nothing", "page", "items", "customer", "id"]),
        "customers": st.integers(0, 60),
        "seed": st.integers(1, 5),
    }
)


def is_honest(lies: dict[str, Any]) -> bool:
    """Whether the service shows all customers somewhere; a total too low by whole pages can hide some."""
    return lies["total_results"] != "half" and lies["kept_back"] == "nothing" and not lies["changing_emails"]


ANY_SEARCH = given(lies=LIES, picks=st.lists(st.integers(0, 80), max_size=12), parts=st.booleans())
RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))


@settings(RELAXED, max_examples=8)
@ANY_SEARCH
def test_whatever_the_service_answers_only_true_matches_count(
    tmp_path_factory: pytest.TempPathFactory, lies: dict[str, Any], picks: list[int], parts: bool
) -> None:
    search_and_check(tmp_path_factory.mktemp("search"), lies, picks, parts)


@pytest.mark.long
@settings(RELAXED, max_examples=200)
@ANY_SEARCH
def test_whatever_many_services_answer_only_true_matches_count(
    tmp_path_factory: pytest.TempPathFactory, lies: dict[str, Any], picks: list[int], parts: bool
) -> None:
    search_and_check(tmp_path_factory.mktemp("search"), lies, picks, parts)


def search_and_check(folder: Path, lies: dict[str, Any], picks: list[int], parts: bool) -> None:
    with Sandbox(SandboxOptions(requests_per_hour=0, **lies)) as sandbox:
        capitalise_shared(sandbox)
        emails = emails_of(sandbox)
        listed = list(emails.values())
        keys = {listed[pick].lower() if pick < len(listed) else f"nobody{pick}@example.com" for pick in picks}
        keys |= {"example.com", "@"} if parts else set()
        try:
            found, _ = search(sandbox, folder, sorted(keys))
        except UnreadableListError:
            assert lies["kept_back"] in ("page", "items", "id")
            return
    truth: dict[str, set[str]] = {}
    for customer_id, email in emails.items():
        truth.setdefault(email.lower(), set()).add(str(customer_id))
    for text, ids in ids_by_key(found).items():
        assert ids <= truth[text]
    if is_honest(lies):
        assert ids_by_key(found) == {text: truth[text] for text in keys if text in truth}
