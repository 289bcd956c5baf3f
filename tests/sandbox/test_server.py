"""Running the sandbox: inside a test, as a command would, and what judges can ask it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

import pytest
import requests

from bulkupdate.errors import UsageError
from bulkupdate.sandbox.server import THREADS, Sandbox, serve_forever
from bulkupdate.sandbox.switches import SandboxOptions
from tests.sandbox.caller import FIRST, Caller, call_sandbox


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "example.com", ""])
def test_it_refuses_any_address_but_loopback(host: str) -> None:
    with pytest.raises(UsageError, match="loopback"):
        Sandbox(host=host)


def test_a_port_in_use_is_said_in_a_sentence() -> None:
    with Sandbox() as sandbox, pytest.raises(UsageError, match="in use"):
        Sandbox(port=int(sandbox.root_url.rpartition(":")[2])).start()


def test_it_stops_at_once_though_an_answer_is_slow_and_can_be_stopped_twice() -> None:
    with call_sandbox(latency_seconds=0.0, faults={"slow": 1.0}) as caller:
        late = threading.Thread(target=caller.put, args=({"Name": "x"},))
        late.start()
        while not caller.sandbox.counts["applied"]:
            time.sleep(0.005)
        start = time.monotonic()
        caller.sandbox.stop()
        assert time.monotonic() - start < 30  # half of slow_seconds
        late.join()
    with pytest.raises(requests.ConnectionError):
        caller.get()


def test_after_an_outage_it_comes_back_on_its_port_with_its_customers_and_tokens() -> None:
    with call_sandbox() as caller:
        caller.put({"Name": "x"})
        caller.sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            caller.get()
        caller.sandbox.start()
        assert caller.get().json()["General"]["Name"] == "x"


def test_serve_forever_serves_until_told_to_stop() -> None:
    stop, seen = threading.Event(), []

    def look(sandbox: Sandbox) -> None:
        seen.append(Caller(sandbox).get().status_code)
        stop.set()

    serve_forever(SandboxOptions(), "127.0.0.1", 0, look, stop)
    assert seen == [200]


def test_one_connection_serves_many_requests() -> None:
    with call_sandbox() as caller:
        connection = HTTPConnection("127.0.0.1", int(caller.sandbox.root_url.rpartition(":")[2]), timeout=5)
        connection.connect()
        socket = connection.sock
        for _ in range(5):
            connection.request("GET", f"/rest/api/Customers/{FIRST}")
            assert connection.getresponse().read()
            assert connection.sock is socket
        connection.close()


def test_threads_begin_when_they_are_needed_and_end_with_the_sandbox() -> None:
    with Sandbox() as sandbox, requests.Session() as session:
        threads = sandbox._server.task_dispatcher.threads
        assert len(threads) == 0
        for _ in range(3):
            assert session.get(f"{sandbox.root_url}/sandbox/counts").status_code == 200
        assert len(threads) == 1
    assert len(threads) == 0


def test_more_requests_than_threads_wait_their_turn() -> None:
    with call_sandbox(latency_seconds=0.2) as caller, ThreadPoolExecutor(THREADS + 8) as pool:
        answers = list(pool.map(lambda n: caller.get(FIRST + n).status_code, range(THREADS + 8)))
        assert answers == [200] * (THREADS + 8)
        assert caller.sandbox.counts["most_in_flight"] <= THREADS


def test_32_in_flight_do_not_wait_for_each_other() -> None:
    with call_sandbox(latency_seconds=0.6) as caller, ThreadPoolExecutor(32) as pool:
        start = time.monotonic()
        answers = list(pool.map(lambda n: Caller.put(caller, {"Name": "x"}, FIRST + n).status_code, range(32)))
        assert time.monotonic() - start < 32 * 0.6 / 4
        assert answers == [200] * 32
        assert caller.sandbox.counts["most_in_flight"] == 32


def test_there_can_be_a_million_customers() -> None:
    with call_sandbox(customers=1_000_000) as caller:
        assert caller.get(FIRST + 999_999).status_code == 200
        assert caller.list(page=20_000)["Items"][-1]["UserID"] == FIRST + 999_999


def test_judges_see_every_request_as_it_came() -> None:
    with call_sandbox() as caller:
        caller.put_text('{"Name":  "Zoë"}'.encode())
        caller.put({"Name": "x"}, 5)
        caller.list(FIRST)
        in_process = caller.sandbox.requests
        over_http = caller.judge("requests")
        assert [each.describe() for each in in_process] == over_http
        assert caller.judge("requests?after=2&limit=1") == over_http[2:3]
        assert [(each["method"], each["customer_id"], each["status"]) for each in over_http] == [
            ("POST", "", 200), ("PUT", str(FIRST), 200), ("PUT", "5", 404), ("GET", "", 200),
        ]  # fmt: skip
        assert (in_process[1].body, over_http[1]["body"]) == ('{"Name":  "Zoë"}'.encode(), '{"Name":  "Zoë"}')
        assert (in_process[0].body, in_process[0].number, in_process[3].number) == (b"", 1, 4)
        assert "model.customerIds=100001" in in_process[3].query


def test_judges_ask_for_customers_changes_and_counts_without_token_or_quota() -> None:
    with call_sandbox(requests_per_hour=2) as caller:
        caller.put({"Fax": "007", "AccountManager1Commission": 2.5})
        caller.session.headers.clear()
        assert caller.judge(f"customers/{FIRST}")["Fax"] == "007"
        assert caller.judge("customers/5") is None
        assert caller.judge("changes") == {str(FIRST): {"Fax": "007", "AccountManager1Commission": 2.5}}
        assert caller.judge("counts") == caller.sandbox.counts
        assert caller.sandbox.counts == {
            "requests": 2, "tokens": 1, "writes": 1, "reads": 0, "lists": 0, "applied": 1, "throttled": 0,
            "statuses": {"200": 2}, "faults": {}, "in_flight": 0, "most_in_flight": 1, "kept": 2,
        }  # fmt: skip
        requests.post(f"{caller.sandbox.root_url}/sandbox/reset-log", timeout=5)
        assert (caller.sandbox.requests, caller.sandbox.counts["requests"]) == ((), 0)


def test_the_log_keeps_the_newest_and_counts_all() -> None:
    with call_sandbox(kept_requests=3) as caller:
        for _ in range(5):
            caller.get()
        caller.sandbox.reset_log()
        for _ in range(5):
            caller.get()
        assert [each.number for each in caller.sandbox.requests] == [3, 4, 5]
        assert (caller.sandbox.counts["reads"], caller.sandbox.counts["kept"]) == (5, 3)


def test_a_body_beyond_all_measure_is_refused() -> None:
    with call_sandbox() as caller:
        assert caller.put_text(b'{"Name": "' + b"x" * 5_000_000 + b'"}').status_code == 413
