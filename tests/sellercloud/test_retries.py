"""What is tried again, and what never: checks 16, 17, 18, 20, 29, 30."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from operator import methodcaller
from pathlib import Path
from typing import Any

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.errors import ServiceDownError
from bulkupdate.redaction import Secret
from bulkupdate.sellercloud.client import open_client
from bulkupdate.sellercloud.retries import back_off
from bulkupdate.settings import Settings
from tests.sellercloud.scripted import Reaction, Received, TurnedClock, connect, in_turn, serve

BODY = '{"Name": "Anna Müller", "AccountManager1Commission": 12.50}'


def reset(connection: Any) -> None:
    """Closes with RST: `connection reset by peer`."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def trickle(start: bytes, byte: bytes) -> Any:
    def send(connection: Any) -> None:
        try:
            connection.sendall(start)
            for _ in range(200):
                connection.sendall(byte)
                time.sleep(0.02)
        except OSError:
            pass

    return send


@pytest.mark.parametrize(
    "trouble",
    [*(Reaction(status) for status in (500, 502, 503, 504, 408, 425)), Reaction(0), Reaction(raw=reset)],
    ids=["500", "502", "503", "504", "408", "425", "closed", "reset"],
)
def test_passing_trouble_is_tried_again_with_the_same_body(tmp_path: Path, trouble: Reaction) -> None:
    with serve(in_turn(trouble, trouble, Reaction(200))) as service, connect(service.base_url, tmp_path) as client:
        answer = client.update_customer("163", BODY)
        assert (answer.status, answer.http_status, answer.attempts) == (Status.UPDATED, 200, 3)
        assert [each.body for each in service.puts] == [BODY.encode()] * 3


def test_the_tries_are_bounded_and_their_waits_double_with_jitter(tmp_path: Path) -> None:
    """Check 16."""
    clock = TurnedClock()
    with (
        serve(Reaction(503, "busy")) as service,
        connect(service.base_url, tmp_path, clock=clock, max_attempts=9, retry_wait=1.0) as client,
    ):
        answer = client.update_customer("163", BODY)
        assert (answer.status, answer.http_status, answer.attempts) == (Status.FAILED, 503, 9)
        assert len(service.puts) == 9
        assert "busy" in answer.message
    assert [min(2**n, 60) <= wait <= min(2**n + 1, 60) for n, wait in enumerate(clock.waits)] == [True] * 8
    assert clock.waits[0] != clock.waits[1] - 1, "there is jitter"


def test_a_thousand_attempts_wait_no_longer_than_ten() -> None:
    assert back_off(1, 0.0) == 0.0
    assert [back_off(attempt, 1.0) for attempt in (7, 10, 1000, 5000)] == [60.0] * 4


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 413, 415, 422, 418])
def test_a_refusal_is_asked_once(tmp_path: Path, status: int) -> None:
    """Checks 17 and 20."""
    with (
        serve(Reaction(status, {"Message": "no such thing"})) as service,
        connect(service.base_url, tmp_path) as client,
    ):
        answer = client.update_customer("163", BODY)
        assert (answer.status, answer.http_status, answer.attempts) == (Status.REJECTED, status, 1)
        assert answer.message == "no such thing"
        assert len(service.puts) == 1


def test_a_refusal_without_a_reason_still_says_something(tmp_path: Path) -> None:
    with serve(Reaction(400)) as service, connect(service.base_url, tmp_path) as client:
        assert client.update_customer("163", BODY).message == "the service refused it (400) and gave no reason"


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>hello", b'{"half": ', b"\xff\x00\xfe"], ids=["empty", "html", "broken", "binary"]
)
def test_200_counts_whatever_its_body(tmp_path: Path, body: bytes) -> None:
    """Check 18."""
    with serve(Reaction(200, body)) as service, connect(service.base_url, tmp_path) as client:
        assert client.update_customer("163", BODY).status is Status.UPDATED
        assert client.update_customer("164", BODY).status is Status.UPDATED


def test_200_whose_body_breaks_off_counts_and_says_so(tmp_path: Path) -> None:
    with (
        serve(Reaction(200, b"{}", {"Content-Length": "100", "Connection": "close"})) as service,
        connect(service.base_url, tmp_path, timeout=0.5) as client,
    ):
        answer = client.update_customer("163", BODY)
        assert (answer.status, len(service.puts)) == (Status.UPDATED, 1)
        assert "broke off" in answer.message


def test_a_huge_answer_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bulkupdate.sellercloud.transport.LONGEST_BODY", 1000)
    script = in_turn(Reaction(200, b"x" * 1000), Reaction(200, b"x" * 1001))
    with serve(script) as service, connect(service.base_url, tmp_path) as client:
        for message in ("", "answered 200, but its body broke off or was too long"):
            answer = client.update_customer("163", BODY)
            assert (answer.status, answer.message) == (Status.UPDATED, message)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(tmp_path: Path, status: int) -> None:
    """Check 18: the token goes to no other host."""
    with serve() as other, serve(Reaction(status, headers={"Location": f"{other.base_url}/Customers/163"})) as service:
        with connect(service.base_url, tmp_path) as client:
            answer = client.update_customer("163", BODY)
        assert (answer.status, answer.attempts) == (Status.REJECTED, 1)
        assert "redirect to 127.0.0.1" in answer.message
        assert other.received == []


def test_after_a_time_out_the_row_is_repeated_then_unknown(tmp_path: Path) -> None:
    """Check 30."""
    never = threading.Event()
    with (
        serve(Reaction(pause=never)) as service,
        connect(service.base_url, tmp_path, timeout=0.15, max_attempts=2) as client,
    ):
        client.sign_in()
        answer = client.update_customer("163", BODY)
        assert (answer.status, answer.http_status, answer.attempts) == (Status.UNKNOWN, None, 2)
        assert answer.message.startswith("no answer within 0.15 s (2 attempts); ")
        assert "may or may not" in answer.message
        assert [each.body for each in service.puts] == [BODY.encode()] * 2
        never.set()


@pytest.mark.parametrize("first", [Reaction(0), Reaction(500), Reaction(502)], ids=["cut", "500", "502"])
def test_a_refusal_does_not_hide_a_try_that_may_have_been_applied(tmp_path: Path, first: Reaction) -> None:
    with (
        serve(in_turn(first, Reaction(409, {"Message": "locked"}))) as service,
        connect(service.base_url, tmp_path) as client,
    ):
        answer = client.update_customer("163", BODY)
        assert (answer.status, answer.http_status, answer.may_be_applied) == (Status.UNKNOWN, 409, True)
        assert "locked" in answer.message
        assert "an earlier attempt" in answer.message


def test_a_doubt_left_by_an_earlier_run_is_not_forgotten(tmp_path: Path) -> None:
    with serve(Reaction(400, {"Message": "no"})) as service, connect(service.base_url, tmp_path) as client:
        assert client.update_customer("163", BODY).status is Status.REJECTED
        assert client.update_customer("163", BODY, may_be_applied=True).status is Status.UNKNOWN


def test_one_unanswered_try_among_refused_ones_leaves_it_unknown(tmp_path: Path) -> None:
    with (
        serve(in_turn(Reaction(0), Reaction(503), Reaction(503))) as service,
        connect(service.base_url, tmp_path, max_attempts=3) as client,
    ):
        answer = client.update_customer("163", BODY)
        assert (answer.status, answer.http_status) == (Status.UNKNOWN, 503)


def test_a_refused_connection_was_certainly_not_applied(tmp_path: Path) -> None:
    with serve() as service, connect(service.base_url, tmp_path, max_attempts=2) as client:
        client.sign_in()
        client.pipeline.close()
        service.stop()
        answer = client.update_customer("163", BODY)
        assert (answer.status, answer.attempts) == (Status.FAILED, 2)
        assert f"no connection to {service.base_url.split('/')[2]}: Connection refused" in answer.message


def test_one_slow_answer_does_not_hold_the_others(tmp_path: Path) -> None:
    """Check 29."""
    slow = threading.Event()
    with (
        serve(lambda each: Reaction(pause=slow if each.customer_id == "1" else None)) as service,
        connect(service.base_url, tmp_path) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        first = pool.submit(client.update_customer, "1", BODY)
        others = [pool.submit(client.update_customer, str(number), BODY) for number in range(2, 30)]
        assert all(each.result(timeout=5).status is Status.UPDATED for each in others)
        assert not first.done()
        slow.set()
        assert first.result(timeout=5).status is Status.UPDATED


@pytest.mark.parametrize(
    ("start", "byte", "status"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", Status.UNKNOWN),
        (b"", b"H", Status.UNKNOWN),
        (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", Status.UNKNOWN),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b"x", Status.UPDATED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", Status.UPDATED),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 5000\r\n\r\n", b"x", Status.FAILED),
    ],
    ids=["header", "status line", "many headers", "body", "chunks", "body of a 503"],
)
def test_a_server_that_sends_a_byte_at_a_time_ends_in_time(
    tmp_path: Path, start: bytes, byte: bytes, status: Status
) -> None:
    """Check 29: the time-out holds for the request as a whole."""
    with (
        serve(Reaction(raw=trickle(start, byte))) as service,
        connect(service.base_url, tmp_path, timeout=0.3, max_attempts=1) as client,
    ):
        client.sign_in()
        started = time.monotonic()
        assert client.update_customer("163", BODY).status is status
        assert time.monotonic() - started < 3  # the answer would take 4 s


def test_a_kept_connection_that_the_server_closes_is_opened_anew(tmp_path: Path) -> None:
    with (
        serve(Reaction(200, headers={"Connection": "close"})) as service,
        connect(service.base_url, tmp_path) as client,
    ):
        for number in range(1, 4):
            assert client.update_customer(str(number), BODY).attempts == 1


def test_a_stop_ends_the_back_off_and_only_a_row_never_sent_counts_as_not_sent(tmp_path: Path) -> None:
    stop = threading.Event()

    def fail_and_stop(_: Received) -> Reaction:
        stop.set()
        return Reaction(503)

    with serve(fail_and_stop) as service, connect(service.base_url, tmp_path, stop=stop, retry_wait=30.0) as client:
        answer = client.update_customer("163", BODY)
        assert (answer.status, answer.http_status, answer.attempts) == (Status.UNKNOWN, 503, 1)
        answer = client.update_customer("164", BODY)
        assert (answer.status, answer.http_status, answer.attempts) == (Status.NOT_ATTEMPTED, None, 0)
        assert len(service.puts) == 1


def test_a_stop_lets_what_is_in_flight_finish(tmp_path: Path) -> None:
    stop, answer_now = threading.Event(), threading.Event()
    with (
        serve(Reaction(pause=answer_now)) as service,
        connect(service.base_url, tmp_path, stop=stop) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        running = pool.submit(client.update_customer, "163", BODY)
        while not service.puts:
            time.sleep(0.005)
        stop.set()
        answer_now.set()
        assert running.result(timeout=5).status is Status.UPDATED


def test_a_stop_after_an_unanswered_try_leaves_the_row_unknown(tmp_path: Path) -> None:
    stop = threading.Event()

    def cut_and_stop(_: Received) -> Reaction:
        stop.set()
        return Reaction(0)

    with serve(cut_and_stop) as service, connect(service.base_url, tmp_path, stop=stop) as client:
        assert client.update_customer("163", BODY).status is Status.UNKNOWN


def test_the_body_is_sent_byte_for_byte_with_the_headers_the_service_needs(tmp_path: Path) -> None:
    with serve() as service, connect(service.base_url, tmp_path) as client:
        client.update_customer("163", BODY)
        [put] = service.puts
        assert (put.path, put.body) == ("/rest/api/Customers/163", BODY.encode())
        headers = {name.lower(): value for name, value in put.headers.items()}
        assert headers["content-type"] == "application/json"
        assert headers["accept"] == "application/json"
        assert headers["user-agent"].startswith("bulkupdate/")
        assert client.calls == len(service.received) == 2


@pytest.mark.parametrize("customer_id", ["", "0", "007", "163.0", "1_0", "٣", "1/../2", "-1", " 1", "1\n", "9" * 20])
def test_what_is_no_customer_id_never_reaches_a_path(tmp_path: Path, customer_id: str) -> None:
    """Check 36."""
    with serve() as service, connect(service.base_url, tmp_path) as client:
        for send in (lambda: client.update_customer(customer_id, BODY), lambda: client.read_customer(customer_id)):
            with pytest.raises(ValueError, match="not a customer id"):
                send()
        assert service.puts == []


def test_an_unknown_host_is_named_with_the_setting_to_check(tmp_path: Path) -> None:
    error = sign_in_at("https://no-such-host.invalid", tmp_path)
    assert "Signing in at https://no-such-host.invalid/rest/api failed 2 times" in str(error)
    assert "there is no host no-such-host.invalid, or no network" in str(error)
    assert "BULKUPDATE_BASE_URL" in str(error.remedy)


def test_a_refused_port_is_named_with_the_setting_to_check(tmp_path: Path) -> None:
    with serve() as service:
        address = service.base_url
    error = sign_in_at(address, tmp_path)
    assert f"no connection to {address.split('/')[2]}: Connection refused" in str(error)
    assert "BULKUPDATE_BASE_URL" in str(error.remedy)


def test_https_to_a_port_without_tls_is_said_plainly(tmp_path: Path) -> None:
    with serve() as service:
        host = service.base_url.split("/")[2]
        error = sign_in_at(f"https://{host}", tmp_path)
    assert f"{host} does not speak TLS (https)" in str(error)
    assert "WRONG_VERSION" not in str(error)
    assert "BULKUPDATE_BASE_URL" in str(error.remedy)


def sign_in_at(address: str, folder: Path) -> ServiceDownError:
    """Return the error of a sign-in that fails."""
    settings = Settings(
        base_url=address, username="u", password=Secret("pass"), state_dir=folder, max_attempts=2, retry_wait=0.0,
        timeout=2.0,
    )  # fmt: skip
    client = open_client(settings, TurnedClock(), threading.Event())
    with pytest.raises(ServiceDownError) as caught:
        client.sign_in()
    client.close()
    assert "resume" not in f"{caught.value} {caught.value.remedy}"
    return caught.value


def test_random_raw_answers_never_leak_a_foreign_exception(tmp_path: Path) -> None:
    """Whatever comes over the wire ends in an `Answer`."""
    ok = b"HTTP/1.1 200 OK\r\n"
    answers = [
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 999 ?\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 50\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 400 \xc3\xa9\r\nContent-Length: 0\r\n\r\n",
        b"\x16\x03\x01\x00",
        ok + b"Content-Length: -5\r\n\r\n",
        ok + b"Content-Length: x\r\n\r\nabc",
        ok + b"Content-Length: 1, 2\r\n\r\nabc",
        ok + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
        ok + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        ok + b"A: b\r\n" * 500 + b"\r\n",
        ok + b"A: " + b"x" * 100_000 + b"\r\n\r\n",
        ok + b": b\r\n bad\r\n\r\n",
        ok + b"Set-Cookie: a=\x00b; expires=never\r\nContent-Length: 0\r\n\r\n",
    ]
    script = (Reaction(raw=methodcaller("sendall", each)) for each in itertools.cycle(answers))
    with (
        serve(lambda _: next(script)) as service,
        connect(service.base_url, tmp_path, timeout=0.5, max_attempts=1) as client,
    ):
        for number in range(1, len(answers) + 1):
            answer = client.update_customer(str(number), BODY)
            assert answer.status in Status
            assert answer.stop is None
