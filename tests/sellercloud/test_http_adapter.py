"""Interim answers (1xx) are read past: no answer is ever taken for that of another customer."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from bulkupdate.customers.models import Status
from bulkupdate.sellercloud.http_adapter import MAX_INTERIM_RESPONSES, _DeadlineReader
from tests.sellercloud.scripted import TOKEN, connect

BODY = '{"Name": "A"}'
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Send = Callable[[bytes], None]
FaultSchedule = Callable[[int, Send, bytes], None]
"""Sends what belongs to the customer of that id, given its final answer."""


class RawService:
    """A service written on sockets; customers of odd ids do not exist, and each 404 names its own."""

    def __init__(self, plan: FaultSchedule) -> None:
        self.plan = plan
        self.puts: list[int] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/rest/api"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while first := stream.readline():
                headers = dict(line.decode().lower().split(": ", 1) for line in iter(stream.readline, b"\r\n"))
                stream.read(int(headers.get("content-length", 0)))
                try:
                    self._answer(first.split()[1].decode(), connection.sendall)
                except OSError:
                    return

    def _answer(self, path: str, send: Send) -> None:
        if path.endswith("/token"):
            send(final(200, {"access_token": TOKEN, "expires_in": 3600}))
            return
        customer_id = int(path.rpartition("/")[2])
        self.puts.append(customer_id)
        self.plan(customer_id, send, final(404, {"Message": f"no {customer_id}"}) if customer_id % 2 else final(200))


def final(status: int, body: object = None) -> bytes:
    data = b"" if body is None else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


@contextmanager
def serve_raw(plan: FaultSchedule) -> Iterator[RawService]:
    service = RawService(plan)
    try:
        yield service
    finally:
        service.close()


def at_once(*interim: bytes) -> FaultSchedule:
    return lambda _, send, answer: send(b"".join(interim) + answer)


def delayed(*interim: bytes) -> FaultSchedule:
    def plan(_: int, send: Send, answer: bytes) -> None:
        for each in interim:
            send(each)
            time.sleep(0.002)
        send(answer)

    return plan


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize(
    "plan",
    [
        at_once(PROCESSING),
        at_once(HINTS, PROCESSING, CONTINUE),
        delayed(PROCESSING),
        delayed(HINTS, CONTINUE, HINTS),
        delayed(*[HINTS] * MAX_INTERIM_RESPONSES),
    ],
    ids=["102", "three", "102 delayed", "three delayed", "as many as allowed"],
)
def test_every_customer_gets_its_own_answer(tmp_path: Path, plan: FaultSchedule, workers: int) -> None:
    assert MAX_INTERIM_RESPONSES == 20, "as docs/api.md says"
    with serve_raw(plan) as service, connect(service.base_url, tmp_path, concurrency=workers) as client:
        client.sign_in()
        ids = list(range(1, 41 if workers > 1 else 9))
        with ThreadPoolExecutor(workers) as pool:
            answers = list(pool.map(lambda each: client.update_customer(str(each), BODY), ids))
    assert sorted(service.puts) == ids
    for customer_id, answer in zip(ids, answers, strict=True):
        expected = (Status.REJECTED, 404, f"no {customer_id}") if customer_id % 2 else (Status.UPDATED, 200, "")
        assert (answer.status, answer.http_status, answer.message) == expected


@pytest.mark.parametrize(
    "interim",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        HINTS * (MAX_INTERIM_RESPONSES + 1),
        b"HTTP/1.1 103 Early Hints\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
    ids=["101", "too many", "too many headers"],
)
def test_what_is_no_interim_answer_closes_the_connection(tmp_path: Path, interim: bytes) -> None:
    """The row is unknown, and the answer that comes late is not taken for that of the next row."""

    def plan(customer_id: int, send: Send, answer: bytes) -> None:
        send(interim if customer_id == 2 else b"")
        send(answer)

    with serve_raw(plan) as service, connect(service.base_url, tmp_path, max_attempts=1) as client:
        first, second = client.update_customer("2", BODY), client.update_customer("3", BODY)
    assert (first.status, first.http_status) == (Status.UNKNOWN, None)
    assert (second.status, second.message) == (Status.REJECTED, "no 3")
    assert service.connections == 2


def test_an_interim_answer_alone_is_no_answer(tmp_path: Path) -> None:
    """It ends by the time-out, and what comes afterwards belongs to nobody."""
    late = threading.Event()

    def plan(customer_id: int, send: Send, answer: bytes) -> None:
        send(PROCESSING)
        if customer_id == 2:
            late.wait(10)
        send(answer)

    with serve_raw(plan) as service, connect(service.base_url, tmp_path, max_attempts=1, timeout=0.2) as client:
        first = client.update_customer("2", BODY)
        late.set()
        second = client.update_customer("3", BODY)
    assert first.status is Status.UNKNOWN
    assert second.message == "no 3"


def test_nothing_is_read_after_the_deadline() -> None:
    """However many bytes keep coming."""
    here, there = socket.socketpair()
    with here, there, here.makefile("rb", buffering=0) as reading_end:
        there.sendall(b"late")
        late, in_time = (_DeadlineReader(reading_end, here, time.monotonic() + left) for left in (0, 30))
        with pytest.raises(TimeoutError):
            late.readinto(bytearray(4))
        assert in_time.readinto(bytearray(4)) == 4
