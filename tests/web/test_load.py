"""Load and abuse: what the server costs and how long it keeps others waiting. Its figures are in docs/security.md."""

from __future__ import annotations

import socket
import sys
import tempfile
import threading
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
    """Health, pages and Stop answer within a second, though Sellercloud takes half a minute for each answer."""
    options = SandboxOptions(customers=5000, **LOGINS)
    with Sandbox(options) as sandbox, FreshServer(sandbox.base_url, tmp_path / "state") as server:
        anna = Visitor(server.url, "anna")
        run = anna.start(anna.upload("a.csv", make_csv(3000)))
        token = anna.token()
        sandbox.service.options = SandboxOptions(customers=5000, latency_seconds=30, **LOGINS)
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
            assert max(times) < 1
        report(f"Stop: {stop:.2f} s; the sign-ins were answered {statuses}")
        assert stop < 1
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


def test_20_watchers_of_a_run_of_100_000_rows(tmp_path: Path) -> None:
    """A run that waits for quota costs nothing itself: what is measured is the watching."""
    options = SandboxOptions(customers=100_000, **LOGINS)
    with (
        Sandbox(options) as sandbox,
        FreshServer(sandbox.base_url, tmp_path / "state", requests_per_hour="60") as server,
    ):
        anna = Visitor(server.url, "anna")
        run = anna.start(anna.upload("large.csv", make_csv(100_000)))
        while "waiting for quota" not in anna.get(path_of(run) + "/progress").text:
            time.sleep(0.2)
        assert server.process is not None
        process, stop, took = psutil.Process(server.process.pid), threading.Event(), list[float]()

        def watch(number: int) -> None:
            watcher = Visitor(server.url)
            watcher.session.cookies.update(anna.session.cookies)
            stop.wait(number / 10)  # they did not open the page at the same moment
            while not stop.is_set():
                took.append(measure(lambda: watcher.get(path_of(run) + "/progress")))
                stop.wait(2.0)  # as static/page.js does

        with ThreadPoolExecutor(20) as pool:
            watchers = [pool.submit(watch, number) for number in range(20)]
            time.sleep(3)
            before, started = process.cpu_times(), time.monotonic()
            time.sleep(20)
            after, seconds = process.cpu_times(), time.monotonic() - started
            stop.set()
            for watcher in watchers:
                watcher.result()
        share = (after.user + after.system - before.user - before.system) / seconds
        report(f"20 watchers of 100,000 rows: {share:.1%} of a core; slowest answer {1000 * max(took):.0f} ms")
        assert share < 0.05
        assert max(took) < 1
