"""Reading customers: one, many, unknown ones, and a service that contradicts itself."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bulkupdate.errors import InterruptedRunError, ServiceDownError
from tests.sellercloud.scripted import Reaction, Received, connect, in_turn, serve

CUSTOMER: dict[str, Any] = {
    "General": {"ID": 163, "Name": "Anna", "Email": "anna@example.com"},
    "Internal": {"LocalRating": 4},
    "CreditCards": [{"CardNumber": "4111111111111111", "CVV": "737"}],
}


def test_one_customer_keeps_the_fields_of_the_table_only(tmp_path: Path) -> None:
    with serve(Reaction(200, CUSTOMER)) as service, connect(service.base_url, tmp_path) as client:
        assert client.read_customer("163") == {"Name": "Anna", "Email": "anna@example.com", "Rating": 4}
        assert service.received[-1].path == "/rest/api/Customers/163"


def test_decimals_are_read_exactly(tmp_path: Path) -> None:
    body = b'{"Internal": {"AccountManagerCommission": 12.50}}'
    with serve(Reaction(200, body)) as service, connect(service.base_url, tmp_path) as client:
        assert str((client.read_customer("163") or {})["AccountManager1Commission"]) == str(Decimal("12.50"))


@pytest.mark.parametrize(
    "answer",
    [Reaction(404), Reaction(400, {"Message": "Customer not found"}), Reaction(500, {"Message": "User not found."})],
)
def test_an_unknown_customer_is_none(tmp_path: Path, answer: Reaction) -> None:
    with serve(answer) as service, connect(service.base_url, tmp_path) as client:
        assert client.read_customer("163") is None
        assert client.calls == 2


@pytest.mark.parametrize(
    ("answer", "calls"),
    [(Reaction(403), 1), (Reaction(400), 1), (Reaction(302), 1), (Reaction(503), 2), (Reaction(0), 2),
     (Reaction(200, b""), 2), (Reaction(200, b"<html>"), 2), (Reaction(200, b"[1]"), 2), (Reaction(200, b'{"a":'), 2),
     (Reaction(200, {"General": {"ID": 7}}), 1)],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_and_never_an_unknown_customer(
    tmp_path: Path, answer: Reaction, calls: int
) -> None:
    with serve(answer) as service, connect(service.base_url, tmp_path, max_attempts=2) as client:
        with pytest.raises(ServiceDownError, match=r"163|[Rr]eading"):
            client.read_customer("163")
        assert client.calls == calls + 1


def test_passing_trouble_while_reading_is_tried_again(tmp_path: Path) -> None:
    script = in_turn(Reaction(503), Reaction(200, b"<html>"), Reaction(200, CUSTOMER))
    with serve(script) as service, connect(service.base_url, tmp_path) as client:
        assert client.read_customer("163") is not None


def test_reading_after_the_stop_is_interrupted(tmp_path: Path) -> None:
    stop = threading.Event()
    with serve(Reaction(200, CUSTOMER)) as service, connect(service.base_url, tmp_path, stop=stop) as client:
        client.sign_in()
        stop.set()
        with pytest.raises(InterruptedRunError):
            client.read_customer("163")
        with pytest.raises(InterruptedRunError):
            client.list_customers(["163"])


class Lists:
    """A list answer with its pages cut at `cap`; `obeys`: whether it keeps to the ids asked for."""

    def __init__(self, known: range, *, cap: int = 50, obeys: bool = True, says_total: bool = True) -> None:
        self.known, self.cap, self.obeys, self.says_total = known, cap, obeys, says_total

    def __call__(self, request: Received) -> Reaction:
        url = urlsplit(request.path)
        if not url.path.endswith("/Customers"):
            number = int(request.customer_id)
            known = number in self.known
            return Reaction(200, {"General": {"ID": number, "Name": f"N{number}"}}) if known else Reaction(404)
        query = parse_qs(url.query)
        asked = [int(each) for each in query["model.customerIds"]]
        hits = [each for each in asked if each in self.known] if self.obeys else list(self.known)
        size = min(self.cap, int(query["model.pageSize"][0]))
        start = (int(query["model.pageNumber"][0]) - 1) * size
        items = [
            {"UserID": each, "FirstName": f"N{each}", "LastName": "", "Rating": 1}
            for each in hits[start : start + size]
        ]
        return Reaction(200, {"Items": items, **({"TotalResults": len(hits)} if self.says_total else {})})


@pytest.mark.parametrize(("asked", "calls"), [(0, 0), (1, 1), (50, 1), (51, 2), (120, 3)])
def test_fifty_customers_cost_one_call(tmp_path: Path, asked: int, calls: int) -> None:
    with serve(Lists(range(1, 1000))) as service, connect(service.base_url, tmp_path) as client:
        client.sign_in()
        ids = [str(number) for number in range(1, asked + 1)]
        found = client.list_customers(ids)
        assert list(found) == ids
        assert all(fields == {"Name": f"N{customer_id}", "Rating": 1} for customer_id, fields in found.items())
        assert client.calls == calls + 1
        assert client.list_filters_ids


@pytest.mark.parametrize("says_total", [True, False])
def test_smaller_pages_are_read_to_their_end_and_unknown_ids_are_left_out(tmp_path: Path, says_total: bool) -> None:
    with (
        serve(Lists(range(1, 41), cap=15, says_total=says_total)) as service,
        connect(service.base_url, tmp_path) as client,
    ):
        found = client.list_customers([str(number) for number in range(1, 51)])
        assert sorted(map(int, found)) == list(range(1, 41))
        assert client.calls <= 1 + 4


def test_an_id_asked_for_twice_is_one(tmp_path: Path) -> None:
    with serve(Lists(range(1, 10))) as service, connect(service.base_url, tmp_path) as client:
        assert list(client.list_customers(["3", "3"])) == ["3"]


def test_a_list_that_ignores_the_ids_is_noticed_and_each_customer_read_by_itself(tmp_path: Path) -> None:
    """Every returned id is checked; no list of a whole tenant is paged through."""
    with serve(Lists(range(1, 5000), obeys=False)) as service, connect(service.base_url, tmp_path) as client:
        found = client.list_customers(["4", "4998", "4999", "5001"])
        assert {customer_id: fields["Name"] for customer_id, fields in found.items()} == {
            "4": "N4", "4998": "N4998", "4999": "N4999",
        }  # fmt: skip
        assert not client.list_filters_ids
        assert client.calls == 1 + 1 + 3
        client.list_customers(["7"])
        assert client.calls == 6, "the list is not asked again"


@pytest.mark.parametrize(
    "body", [{}, {"Items": None}, {"Items": [1, "x", None]}, {"Items": {"a": 1}, "TotalResults": "9"}]
)
def test_an_odd_list_answer_finds_nobody(tmp_path: Path, body: dict[str, Any]) -> None:
    with serve(Reaction(200, body)) as service, connect(service.base_url, tmp_path) as client:
        assert client.list_customers(["163"]) == {}


def test_what_is_no_id_is_never_asked_for(tmp_path: Path) -> None:
    with serve() as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(ValueError, match="not a customer id"):
            client.list_customers(["1&model.pageSize=9"])
        assert service.received == []


def test_two_different_entries_for_one_customer_are_not_believed(tmp_path: Path) -> None:
    entries = [{"UserID": 163, "Email": "a@example.com"}, {"UserID": 163, "Email": "b@example.com"}, {"UserID": 164}]

    def script(request: Received) -> Reaction:
        if "?" in request.path:
            return Reaction(body={"Items": entries, "TotalResults": 3})
        return Reaction(body={"General": {"ID": 163, "Name": "Two"}})

    with serve(script) as service, connect(service.base_url, tmp_path) as client:
        client.list_customers(["163", "164"])
        assert [each.customer_id for each in service.received if each.method == "GET"][1:] == ["163"]


def test_the_user_name_that_the_service_returns_is_kept(tmp_path: Path) -> None:
    token = {"access_token": "t", "expires_in": 3600, "username": "Anna.Ops"}
    with serve(sign_in=Reaction(200, token)) as service, connect(service.base_url, tmp_path) as client:
        assert client.signed_in_as == ""
        client.sign_in()
        assert client.signed_in_as == "Anna.Ops"
