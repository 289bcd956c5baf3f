"""The list of customers: filters, pages, totals, and e-mails that are shared or change."""

from __future__ import annotations

import pytest

from tests.sandbox.caller import FIRST, Caller, call_sandbox


def email_of(caller: Caller, customer_id: int) -> str:
    return str((caller.sandbox.customer(customer_id) or {})["Email"])


def ids_of(answer: dict) -> list[int]:
    return [item["UserID"] for item in answer["Items"]]


def test_the_email_filter_finds_the_exact_address_without_regard_to_case() -> None:
    with call_sandbox(customers=60) as caller:
        answer = caller.list(email=email_of(caller, FIRST + 7).upper())
        assert (ids_of(answer), answer["TotalResults"]) == ([FIRST + 7], 1)
        assert caller.list(email="nobody@example.com") == {"Items": [], "TotalResults": 0}
        assert caller.list(email="example") == {"Items": [], "TotalResults": 0}


def test_the_email_filter_may_match_parts_or_be_ignored() -> None:
    with call_sandbox(customers=60, email_filter="contains") as caller:
        assert caller.list(email="example")["TotalResults"] == 60
    with call_sandbox(customers=60, email_filter="ignored") as caller:
        assert caller.list(email=email_of(caller, FIRST))["TotalResults"] == 60


def test_the_filter_follows_an_update() -> None:
    with call_sandbox(customers=5) as caller:
        before = email_of(caller, FIRST)
        assert ids_of(caller.list(email=before)) == [FIRST]
        caller.put({"Email": "new@example.com"})
        assert ids_of(caller.list(email=before)) == []
        assert ids_of(caller.list(email="NEW@example.com")) == [FIRST]


def test_the_phone_filter_matches_parts_by_digits() -> None:
    with call_sandbox(customers=40) as caller:
        caller.put({"Phone2": "+1 (555) 010-9999"})
        assert ids_of(caller.list(phoneNumber="5550109999")) == [FIRST]
        assert FIRST in ids_of(caller.list(phoneNumber="010-99"))
    with call_sandbox(customers=40, phone_filter="exact") as caller:
        caller.put({"Phone2": "+1 (555) 010-9999"})
        assert ids_of(caller.list(phoneNumber="15550109999")) == [FIRST]
        assert ids_of(caller.list(phoneNumber="0109999")) == []


def test_the_last_page_may_come_again_and_again() -> None:
    with call_sandbox(customers=60) as caller:
        assert ids_of(caller.list(page=3)) == []
    with call_sandbox(customers=60, repeat_last_page=True) as caller:
        assert ids_of(caller.list(page=9)) == ids_of(caller.list(page=2)) == list(range(FIRST + 50, FIRST + 60))


def test_the_list_may_keep_customers_back_and_count_them() -> None:
    def list_pages(kept_back: str) -> list[tuple[int, int, int]]:
        """Items, those of them with an id, and the total, of each page."""
        with call_sandbox(customers=120, kept_back=kept_back) as caller:
            answers = [caller.list(page=page) for page in (1, 2)]
        items = [answer.get("Items", ()) for answer in answers]
        return [
            (len(each), sum("UserID" in item for item in each), answer["TotalResults"])
            for each, answer in zip(items, answers, strict=True)
        ]

    assert list_pages("page") == list_pages("items") == [(50, 50, 120), (0, 0, 120)]
    assert list_pages("customer") == [(49, 49, 120)] * 2
    assert list_pages("id") == [(50, 49, 120)] * 2


@pytest.mark.parametrize(
    ("how", "total"), [("right", 60), ("half", 30), ("twice", 120), ("page", 50), ("missing", None)]
)
def test_the_total_may_be_wrong(how: str, total: int | None) -> None:
    with call_sandbox(customers=60, total_results=how) as caller:
        assert caller.list().get("TotalResults") == total


def test_customers_may_share_an_email() -> None:
    with call_sandbox(customers=60, shared_emails=0.3) as caller:
        emails = [email_of(caller, FIRST + index) for index in range(60)]
        shared = next(email for email in emails if emails.count(email) > 1)
        assert ids_of(caller.list(email=shared)) == [FIRST + at for at, email in enumerate(emails) if email == shared]


def test_an_email_may_change_once_it_has_been_listed() -> None:
    with call_sandbox(customers=20, changing_emails=1.0) as caller:
        before = email_of(caller, FIRST)
        assert caller.list()["Items"][0]["Email"] == before
        assert email_of(caller, FIRST) == f"changed.{FIRST}@example.com"
