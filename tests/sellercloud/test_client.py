"""Reading customers: one, many, unknown ones, and a service that contradicts itself."""

from __future__ import annotations

import threading
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.errors import InterruptedRunError, ServiceDownError, UnreadableListError
from tests.sellercloud.scripted import Reaction, Received, TurnedClock, connect, in_turn, serve

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


@pytest.mark.parametrize(
    ("answer", "details"),
    [
        (Reaction(503, {"Message": "busy"}), "503 busy"),
        (Reaction(0), "the connection broke before an answer came"),
        (Reaction(200, b"[1]"), "200 with a body that is not JSON"),
    ],
)
def test_what_was_read_in_vain_is_named_with_the_last_attempt(tmp_path: Path, answer: Reaction, details: str) -> None:
    with serve(answer) as service, connect(service.base_url, tmp_path, max_attempts=2) as client:
        with pytest.raises(ServiceDownError) as caught:
            client.read_customer("163")
        assert str(caught.value) == f"Reading customer 163 failed 2 times. The last attempt: {details}."
        assert caught.value.remedy == "Try again when the service is back."


def test_a_refused_reading_quotes_the_service(tmp_path: Path) -> None:
    with (
        serve(Reaction(403, {"Message": "No rights."})) as service,
        connect(service.base_url, tmp_path) as client,
        pytest.raises(ServiceDownError, match=r"^While reading customer 163, the service answered 403 No rights\.$"),
    ):
        client.read_customer("163")


def test_passing_trouble_while_reading_is_tried_again(tmp_path: Path) -> None:
    script = in_turn(Reaction(503), Reaction(200, b"<html>"), Reaction(200, CUSTOMER))
    with serve(script) as service, connect(service.base_url, tmp_path) as client:
        assert client.read_customer("163") is not None


def test_an_update_after_the_stop_is_not_attempted(tmp_path: Path) -> None:
    stop = threading.Event()
    with serve(Reaction(200)) as service, connect(service.base_url, tmp_path, stop=stop) as client:
        client.sign_in()
        stop.set()
        result = client.update_customer("163", "{}")
        assert (result.status, result.attempts, result.stop) == (Status.NOT_ATTEMPTED, 0, None)
        assert service.puts == []


def test_reading_after_the_stop_is_interrupted(tmp_path: Path) -> None:
    stop = threading.Event()
    with serve(Reaction(200, CUSTOMER)) as service, connect(service.base_url, tmp_path, stop=stop) as client:
        client.sign_in()
        stop.set()
        with pytest.raises(InterruptedRunError, match="Stopped before reading customer 163"):
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


@pytest.mark.parametrize(
    ("cap", "says_total", "pages"), [(15, True, 3), (15, False, 4), (13, True, 4), (20, True, 2), (20, False, 3)]
)
def test_smaller_pages_are_read_to_their_end_and_unknown_ids_are_left_out(
    tmp_path: Path, cap: int, says_total: bool, pages: int
) -> None:
    with (
        serve(Lists(range(1, 41), cap=cap, says_total=says_total)) as service,
        connect(service.base_url, tmp_path) as client,
    ):
        found = client.list_customers([str(number) for number in range(1, 51)])
        assert sorted(map(int, found)) == list(range(1, 41))
        assert client.calls == 1 + pages


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


# --- one page of the list ---------------------------------------------------------------------------------------------


def list_answer(*ids: int, total: object) -> Reaction:
    return Reaction(body={"Items": [{"UserID": each, "Email": f"{each}@example.com"} for each in ids],
                          "TotalResults": total})  # fmt: skip


def test_a_page_of_the_list_is_asked_for_with_its_filters_only(tmp_path: Path) -> None:
    with serve(list_answer(7, 8, total=52)) as service, connect(service.base_url, tmp_path) as client:
        page, total = client.list_page(2, modified=("2026-01-01T00:00:00Z", ""))
        assert ({each: fields["Email"] for each, fields in page.items()}, total) == (
            {"7": "7@example.com", "8": "8@example.com"}, 52,
        )  # fmt: skip
        client.list_page(1, email="7@example.com")
        first, second = (parse_qs(urlsplit(each.path).query) for each in service.received[1:])
    assert first == {
        "model.modifiedOnFrom": ["2026-01-01T00:00:00Z"], "model.pageNumber": ["2"], "model.pageSize": ["50"],
    }  # fmt: skip
    assert second == {"model.email": ["7@example.com"], "model.pageNumber": ["1"], "model.pageSize": ["50"]}


def test_only_the_fields_wanted_are_kept(tmp_path: Path) -> None:
    with serve(list_answer(7, total=1)) as service, connect(service.base_url, tmp_path) as client:
        assert client.list_page(1, fields=()) == ({"7": {}}, 1)


@pytest.mark.parametrize(
    ("total", "believed"),
    [(0, 0), (10_000_000, 10_000_000), (10_000_001, None), (-1, None), ("9", None), (None, None)],
)
def test_a_number_of_customers_that_cannot_be_is_not_believed(
    tmp_path: Path, total: object, believed: int | None
) -> None:
    with serve(list_answer(7, total=total)) as service, connect(service.base_url, tmp_path) as client:
        assert client.list_page(1)[1] == believed


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Reaction(body={"TotalResults": 3}), "While reading page 1 of the customers.*without a list"),
        (list_answer(0, total=1), "without a readable id"),
        (Reaction(body={"Items": [{"UserID": 7}, {"Email": "x"}]}), "without a readable id"),
        (Reaction(403, {"Message": "No rights."}), "While reading page 1 of the customers.*answered 403 No rights"),
    ],
)
def test_a_page_that_would_leave_a_customer_out_is_an_error(tmp_path: Path, answer: Reaction, message: str) -> None:
    with serve(answer) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(UnreadableListError, match=message):
            client.list_page(1)
        if answer.status == 403:
            with pytest.raises(UnreadableListError, match="While searching customers by e-mail"):
                client.list_page(1, email="x@example.com")


def test_no_list_is_an_empty_page_if_there_are_no_customers(tmp_path: Path) -> None:
    answer = Reaction(body={"Items": None, "TotalResults": 0})
    with serve(answer) as service, connect(service.base_url, tmp_path) as client:
        assert client.list_page(1) == ({}, 0)


def test_the_longest_customer_id_is_taken(tmp_path: Path) -> None:
    with serve() as service, connect(service.base_url, tmp_path) as client:
        client.update_customer("9" * 19, "{}")
        assert [each.customer_id for each in service.puts] == ["9" * 19]


def test_requests_are_counted_from_0_for_the_next_run(tmp_path: Path) -> None:
    with serve() as service, connect(service.base_url, tmp_path) as client:
        client.sign_in()
        client.reset_calls()
        assert client.calls == 0
        client.update_customer("163", "{}")
        assert (client.calls, len(service.sign_ins)) == (1, 1)
        assert repr(client) == f"Client({service.base_url})"


def test_another_customer_than_asked_for_is_named(tmp_path: Path) -> None:
    with (
        serve(Reaction(200, {"General": {"ID": 7}})) as service,
        connect(service.base_url, tmp_path) as client,
        pytest.raises(ServiceDownError, match="While reading customer 163, the service answered with another"),
    ):
        client.read_customer("163")


def test_the_quota_of_an_address_that_requests_leave_from_is_its_own(tmp_path: Path) -> None:
    with serve() as service:
        for egress, free in (("", 9), ("berlin", 9), ("munich", 9), ("", 8), ("berlin", 8)):
            with connect(service.base_url, tmp_path, requests_per_hour=10, egress=egress) as client:
                client.sign_in()
                assert client.quota.capacity().free == free


def test_closing_closes_connections_and_writes_when_requests_ended(tmp_path: Path) -> None:
    clock, closed = TurnedClock(), threading.Event()

    def answer_and_watch(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        if connection.recv(1) == b"":
            closed.set()

    with serve(Reaction(raw=answer_and_watch)) as service:
        with connect(service.base_url, tmp_path, clock=clock, requests_per_hour=2) as client:
            client.update_customer("163", "{}")
        assert closed.wait(20)
        with connect(service.base_url, tmp_path, clock=clock, requests_per_hour=2) as client:
            assert client.quota.when_sent(2) == pytest.approx(clock.now() + 3600, abs=3)
