"""What a few reads of the list show, at the borders: how many customers, which total, which filter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bulkupdate.runs.tenant.answers import Questioner
from bulkupdate.runs.tenant.facts import Facts
from bulkupdate.runs.tenant.list_reading import read_list_facts
from tests.sellercloud.scripted import Reaction, Received, connect, serve

Filter = Callable[[str, str], bool]
"""Whether a customer with this value is found by that text."""

ANY_CASE: Filter = lambda held, text: held.lower() == text.lower()  # noqa: E731 - named for the tables below
SAME_CASE: Filter = lambda held, text: held == text  # noqa: E731
PART: Filter = lambda held, text: text.lower() in held.lower()  # noqa: E731
ANYONE: Filter = lambda _held, _text: True  # noqa: E731
NOBODY: Filter = lambda _held, _text: False  # noqa: E731


@dataclass
class Service:
    """A list of `count` customers, with at most `cap` on a page; `name_total` makes the total of the true one."""

    count: int = 60
    cap: int = 500
    name_total: Callable[[int], Any] = lambda total: total
    by_ids: bool = True
    email: Filter = ANY_CASE
    phone: Filter = PART
    modified: Filter = NOBODY
    phones: dict[str, str] = field(default_factory=lambda: {"Phone1": "+49 {}"})
    domain: str = "@example.com"
    read: list[str] = field(default_factory=list)
    looked_for: dict[str, list[str]] = field(default_factory=lambda: {"email": [], "phoneNumber": []})

    def __call__(self, request: Received) -> Reaction:
        url = urlsplit(request.path)
        if not url.path.endswith("/Customers"):
            self.read.append(request.customer_id)
            return Reaction(body={"Personal": self._phones_of(int(request.customer_id))})
        query = {name.removeprefix("model."): values for name, values in parse_qs(url.query).items()}
        for name, values in self.looked_for.items():
            values += query.get(name, [])
        found = [number for number in range(1000, 1000 + self.count) if self._is_found(number, query)]
        size = min(self.cap, int(query["pageSize"][0]))
        start = (int(query["pageNumber"][0]) - 1) * size
        items = [{"UserID": each, "Email": self._email_of(each)} for each in found[start : start + size]]
        return Reaction(body={"Items": items, "TotalResults": self.name_total(len(found))})

    def _email_of(self, number: int) -> str:
        return f"Customer{number}{self.domain}"

    def _phones_of(self, number: int) -> dict[str, str]:
        return {name: text.format(10**6 + number * 7919 % 10**6) for name, text in self.phones.items()}

    def _is_found(self, number: int, query: dict[str, list[str]]) -> bool:
        digits = "".join(filter(str.isdigit, str(self._phones_of(number).get("Phone1"))))
        held = {"email": (self.email, self._email_of(number)), "phoneNumber": (self.phone, digits)}
        held["modifiedOnFrom"] = (self.modified, "")
        is_asked = not self.by_ids or str(number) in query.get("customerIds", [str(number)])
        return is_asked and all(
            matches(value, query[name][0]) for name, (matches, value) in held.items() if name in query
        )


def ask(service: Service, folder: Path) -> tuple[Facts, int]:
    """What is found out, and the requests it took."""
    with serve(service) as server, connect(server.base_url, folder) as client:
        client.sign_in()
        client.reset_calls()
        return read_list_facts(Questioner(client)), client.calls


HONEST = {
    "repeat_last_page": False, "list_filter": "filters", "kept_back": "nothing", "total_results": "right",
    "email_filter": "exact", "email_case": "ignored", "modified_filter": "filters", "phone_filter": "contains",
}  # fmt: skip


@pytest.mark.parametrize(
    ("service", "cap", "calls"),
    [
        (Service(11), None, 8), (Service(30, cap=30), None, 8), (Service(31, cap=30), 30, 8),
        (Service(502, cap=499), 499, 8), (Service(502), None, 8),
    ],
)  # fmt: skip
def test_the_size_of_a_page_is_known_if_there_are_more_customers(
    tmp_path: Path, service: Service, cap: int | None, calls: int
) -> None:
    facts, requests = ask(service, tmp_path)
    assert facts == HONEST | ({"page_size_cap": cap} if cap else {})
    assert requests == calls


def test_ten_customers_show_nothing(tmp_path: Path) -> None:
    assert ask(Service(10), tmp_path) == ({}, 1)


@pytest.mark.parametrize(
    ("name_total", "total"),
    [
        (lambda _: 6, "half"), (lambda _: 8, "twice"), (lambda _: 7, "right"), (lambda _: 2, "page"),
        (lambda _: True, "missing"), (lambda _: -1, "missing"), (lambda _: None, "missing"), (lambda _: "7", "missing"),
        (lambda _: 0, "half"),
    ],
)  # fmt: skip
def test_the_total_of_seven_ids_is_judged(tmp_path: Path, name_total: Callable[[int], Any], total: str) -> None:
    assert ask(Service(name_total=name_total), tmp_path)[0]["total_results"] == total


@pytest.mark.parametrize(
    ("named", "total", "calls"),
    [
        (60, "right", 10), (56, "right", 10), (55, "half", 10), (2, "half", 10), (65, "right", 10), (66, "twice", 10),
        (None, "missing", 9),
    ],
)  # fmt: skip
def test_a_list_that_ignores_ids_is_read_around_its_end(
    tmp_path: Path, named: int | None, total: str, calls: int
) -> None:
    """A few of its sixty customers may come and go meanwhile."""
    facts, requests = ask(Service(by_ids=False, name_total=lambda _: named), tmp_path)
    assert (facts["list_filter"], facts["total_results"], requests) == ("ignored", total, calls)


@pytest.mark.parametrize(
    ("count", "name_total", "cap"),
    [
        (30, lambda total: total // 2, None), (32, lambda total: total // 2, 30), (30, lambda total: total * 2, None),
        (31, lambda total: total * 2, 30),
    ],
)  # fmt: skip
def test_a_total_that_is_half_or_twice_the_true_one_still_shows_whether_there_is_more(
    tmp_path: Path, count: int, name_total: Callable[[int], Any], cap: int | None
) -> None:
    facts, _ = ask(Service(count, cap=30, name_total=name_total), tmp_path)
    assert facts["total_results"] == ("half" if name_total(2) == 1 else "twice")
    assert facts.get("page_size_cap") == cap


@pytest.mark.parametrize(("count", "cap"), [(30, None), (32, None), (33, 30)])
def test_without_a_total_a_page_further_on_is_read(tmp_path: Path, count: int, cap: int | None) -> None:
    facts, requests = ask(Service(count, cap=30, name_total=lambda _: None), tmp_path)
    assert (facts.get("page_size_cap"), requests) == (cap, 9)


@pytest.mark.parametrize(
    ("email", "facts"),
    [
        (ANY_CASE, {"email_filter": "exact", "email_case": "ignored"}),
        (SAME_CASE, {"email_filter": "case", "email_case": "matters"}),
        (PART, {"email_filter": "contains", "email_case": "ignored"}),
        (lambda held, text: text in held, {"email_filter": "contains", "email_case": "matters"}),
        (ANYONE, {"email_filter": "ignored"}),
        (NOBODY, {"email_filter": "finds nothing"}),
        (lambda held, text: ANY_CASE(held, text) or "@" not in text, {"email_filter": "ignored"}),
    ],
)
def test_the_email_filter_is_told(tmp_path: Path, email: Filter, facts: Facts) -> None:
    found, _ = ask(Service(email=email), tmp_path)
    assert {name: value for name, value in found.items() if name.startswith("email")} == facts


def test_whole_values_and_halves_of_them_are_asked_for(tmp_path: Path) -> None:
    service = Service()
    ask(service, tmp_path)
    assert service.looked_for == {
        "email": ["cUSTOMER1059@EXAMPLE.COM", "Customer1059"], "phoneNumber": ["491378302"[2:7]],
    }  # fmt: skip


@pytest.mark.parametrize("domain", ["", "@"])
def test_what_is_no_email_is_not_asked_for(tmp_path: Path, domain: str) -> None:
    facts, requests = ask(Service(domain=domain), tmp_path)
    assert ("email_filter" in facts, requests) == (False, 6)


@pytest.mark.parametrize(
    ("phone", "told"),
    [(ANY_CASE, "exact"), (PART, "contains"), (ANYONE, "ignored"), (NOBODY, "finds nothing")],
)
def test_the_phone_filter_is_told(tmp_path: Path, phone: Filter, told: str) -> None:
    assert ask(Service(phone=phone), tmp_path)[0]["phone_filter"] == told


@pytest.mark.parametrize(
    ("phones", "is_told", "read"),
    [
        ({"Phone1": "1234567"}, False, ["1058", "1059"]), ({"Phone1": "12345678"}, True, ["1058"]),
        ({"Phone1": "", "Mobile": "030 123 45 67"}, True, ["1058"]), ({"Fax": "12345678"}, False, ["1058", "1059"]),
    ],
)  # fmt: skip
def test_a_phone_number_of_eight_digits_is_looked_for_in_two_customers(
    tmp_path: Path, phones: dict[str, str], is_told: bool, read: list[str]
) -> None:
    service = Service(phones=phones)
    assert ("phone_filter" in ask(service, tmp_path)[0], service.read) == (is_told, read)


def test_a_filter_by_time_that_is_ignored_is_told(tmp_path: Path) -> None:
    assert ask(Service(modified=ANYONE), tmp_path)[0]["modified_filter"] == "ignored"


@dataclass
class Failing(Service):
    """Answers one request, the `fails_at`-th, with an error."""

    fails_at: int = 1
    asked: int = 0

    def __call__(self, request: Received) -> Reaction:
        self.asked += 1
        return Reaction(404, body={}) if self.asked == self.fails_at else super().__call__(request)


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4, 5, 6, 8])  # the seventh reads a customer: another one is read
def test_an_answer_that_is_missing_leaves_open_what_it_would_have_shown(tmp_path: Path, fails_at: int) -> None:
    facts, _ = ask(Failing(30, cap=30, fails_at=fails_at), tmp_path)
    assert facts.items() <= HONEST.items()
    assert len(facts) < len(HONEST)


@pytest.mark.parametrize("fails_at", range(1, 7))
def test_so_it_does_of_a_list_that_ignores_ids(tmp_path: Path, fails_at: int) -> None:
    whole, _ = ask(Failing(by_ids=False, fails_at=99), tmp_path)
    facts, _ = ask(Failing(by_ids=False, fails_at=fails_at), tmp_path)
    assert facts.items() < whole.items()
