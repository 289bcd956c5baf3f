"""Load and abuse: whom the server keeps waiting, and what strangers cost it. Its figures are in docs/security.md."""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import requests

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.conftest import LOGINS
from tests.web.served import PASSWORD, FreshServer, Visitor, make_csv, path_of

pytestmark = pytest.mark.long

LATENCY_SECONDS = 30


def report(text: str) -> None:
    """Show a figure, also while pytest captures."""
    assert sys.__stderr__ is not None
    sys.__stderr__.write(f"\n  {text}\n")


def measure(act: Callable[[], requests.Response], expected: int = 200) -> float:
    started = time.monotonic()
    assert act().status_code == expected
    return time.monotonic() - started


@contextmanager
def open_idle(port: int, count: int) -> Iterator[None]:
    """Keep this many connections open that have asked for something once."""
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connection.recv(1000)
        yield


def test_200_connections_64_of_them_waiting_sign_ins(tmp_path: Path) -> None:
    """Health, pages and Stop do not wait for Sellercloud, which takes half a minute for each answer."""
    options = SandboxOptions(customers=5000, **LOGINS)
    with Sandbox(options) as sandbox, FreshServer(sandbox.base_url, tmp_path / "state") as server:
        anna = Visitor(server.url, "anna")
        run = anna.start(anna.upload("a.csv", make_csv(3000)))
        token = anna.token()
        sandbox.service.options = SandboxOptions(customers=5000, latency_seconds=LATENCY_SECONDS, **LOGINS)
        waiting = [Visitor(server.url) for _ in range(64)]
        forms = [visitor.token("/sign-in") for visitor in waiting]

        def sign_in(number: int) -> int:
            data = {"csrf_token": forms[number], "username": f"user {number}", "password": PASSWORD}
            url, session = server.url + "/sign-in", waiting[number].session
            return session.post(url, data, timeout=60).status_code

        with open_idle(server.port, 135), ThreadPoolExecutor(64) as pool:
            answers = [pool.submit(sign_in, number) for number in range(64)]
            time.sleep(1)
            took: dict[str, list[float]] = {"health": [], "page": [], "progress": []}
            until = time.monotonic() + 8
            while time.monotonic() < until:
                took["health"].append(measure(lambda: requests.get(server.url + "/healthz", timeout=20)))
                took["page"].append(measure(lambda: anna.get("/runs")))
                took["progress"].append(measure(lambda: anna.get(path_of(run) + "/progress")))
            stop = measure(lambda: anna.session.post(
                f"{server.url}{path_of(run)}/stop", {"csrf_token": token}, allow_redirects=False, timeout=20
            ), 303)  # fmt: skip
            statuses = sorted({answer.result() for answer in answers})
        for name, times in took.items():
            report(f"{name}: {len(times)} answers, slowest {max(times):.2f} s")
            assert max(times) < LATENCY_SECONDS / 2
        report(f"Stop: {stop:.2f} s; the sign-ins were answered {statuses}")
        assert stop < LATENCY_SECONDS / 2
        assert statuses == [503]


def test_strangers_bodies_take_no_room(server: FreshServer) -> None:
    """100 connections announce 48 MiB each and send as much as is taken."""
    folder = Path(tempfile.gettempdir())
    free_before = psutil.disk_usage(str(folder)).free
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    memory_before = process.memory_info().rss
    head = b"POST /sheets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50331648\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(100):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=5))
            with suppress(OSError):
                connection.sendall(head)
                for _ in range(4):
                    connection.sendall(b"x" * (1 << 20))
        time.sleep(0.5)
        taken = free_before - psutil.disk_usage(str(folder)).free
        grown = process.memory_info().rss - memory_before
    report(f"100 bodies of 48 MiB from strangers: {grown / 2**20:.1f} MiB of memory, {taken / 2**20:.1f} MiB of disk")
    assert grown < 40 << 20
    assert taken < 100 << 20  # other programs write, too
