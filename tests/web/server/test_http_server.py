"""The limits of the server below the pages."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.web.disk_space import has_room
from tests.warm import share_warm_program
from tests.web.served import CLEAN, FreshServer, Server, Visitor, count_updates, make_csv, path_of


@pytest.mark.long
def test_a_server_that_is_started_as_users_start_it_checks_and_sends(sandbox: Sandbox, tmp_path: Path) -> None:
    """Most tests fork their server, and the process that its checks are forked from; this one loads all by itself."""
    with FreshServer(sandbox.base_url, tmp_path / "state") as server:
        anna = Visitor(server.url, "anna")
        before = count_updates(sandbox)
        checked = anna.upload("fresh.csv", make_csv(3))
        assert anna.get(path_of(checked) + "/report.xlsx").status_code == 200
        assert "Every row went through." in anna.wait_for_end(anna.start(checked)).text
        assert count_updates(sandbox) == before + 3


def test_the_limit_of_an_upload_holds_to_the_byte(sandbox: Sandbox, tmp_path: Path) -> None:
    """One byte more: 413 before the body has been sent; also without Content-Length, in chunks."""
    limit = 100_000
    with Server(sandbox.base_url, tmp_path / "state", upload_bytes=str(limit)) as server:
        visitor = Visitor(server.url, "anna")
        small = visitor.upload("small.csv", make_csv(1000))
        assert small.status_code == 200
        assert post_raw(server, visitor, limit, b"x" * 100).startswith(b"HTTP/1.1 403")  # read, but without a token
        exact = fill_form(visitor, limit)
        assert b" 303 " in send_form(server, visitor, exact)
        assert b" 413 " in post_raw(server, visitor, limit + 1, b"")
        assert b" 413 " in post_chunks(server, visitor, limit + 1)
        assert sandbox.requests


def fill_form(visitor: Visitor, size: int) -> bytes:
    """Return a whole form of this size in bytes."""
    token, end = visitor.token(), b"\r\n--b--\r\n"
    start = (
        f'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
        '--b\r\nContent-Disposition: form-data; name="sheet"; filename="exact.csv"\r\n\r\nCustomerId,Name\n'
    ).encode()
    return start + b"x" * (size - len(start) - len(end)) + end


def send_form(server: Server, visitor: Visitor, form: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(head_of(visitor, f"Content-Length: {len(form)}") + form)
        return connection.recv(100)


@pytest.mark.parametrize("length", ["Content-Length: 50000000", "Transfer-Encoding: chunked"])
def test_nothing_of_a_strangers_upload_is_received(server: Server, length: str) -> None:
    """The answer comes after the headers, as a page with a way back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        head = f"POST /sheets HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{length}\r\n\r\n"
        connection.sendall(head.encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"Sign in and send the file again." in answer
    for needed in (b'<html lang="en">', b"<title>", b'<a class="button primary" href="/">', b"Content-Security-Policy"):
        assert needed in answer


def test_a_large_form_is_refused_where_no_file_is_expected(server: Server, anna: Visitor) -> None:
    answer = anna.session.post(server.url + "/sign-out", {"x": "y" * 70_000}, timeout=30)
    assert answer.status_code == 413
    assert "The form is too large" in answer.text


def test_uploads_leave_room_on_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usage = SimpleNamespace(total=100 << 30, used=0, free=600 << 20)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    assert has_room(tmp_path, 50 << 20)
    assert not has_room(tmp_path, 100 << 20)
    usage.total, usage.free = 100 << 20, 10 << 20  # a small disk keeps a share
    assert has_room(tmp_path, 4 << 20)
    assert not has_room(tmp_path, 6 << 20)


@pytest.mark.long
def test_half_sent_headers_do_not_keep_others_out(server: Server) -> None:
    """310 connections that send a byte now and then: they are dropped, and the page answers all the while."""
    slow = []
    for _ in range(310):
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        slow.append(connection)
    started = time.monotonic()
    answers = []
    while time.monotonic() - started < 15:
        before = time.monotonic()
        assert requests.get(server.url + "/healthz", timeout=10).status_code == 200
        answers.append(time.monotonic() - before)
        for connection in slow:
            with suppress(OSError):
                connection.sendall(b"x")
        time.sleep(1)
    assert max(answers[3:]) < 1, answers
    dropped = sum(is_dropped(connection) for connection in slow)
    assert dropped == 310


def is_dropped(connection: socket.socket) -> bool:
    connection.settimeout(0.1)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def head_of(visitor: Visitor, *more: str) -> bytes:
    cookie = visitor.session.cookies["bulkupdate"]
    lines = ("POST /sheets HTTP/1.1", "Host: localhost", f"Cookie: bulkupdate={cookie}", "Connection: close",
             "Content-Type: multipart/form-data; boundary=b", *more)  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post_raw(server: Server, visitor: Visitor, length: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head_of(visitor, f"Content-Length: {length}"))
        connection.sendall(sent.ljust(length, b"x") if sent else b"")
        return connection.recv(100)


def post_chunks(server: Server, visitor: Visitor, length: int) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(head_of(visitor, "Transfer-Encoding: chunked"))
        for _ in range(length // 10_000 + 1):
            connection.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        return connection.recv(100)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::"])
def test_other_addresses_are_refused_without_a_proxy(host: str, tmp_path: Path) -> None:
    """Passwords would cross the network unencrypted."""
    call = ("serve", "--host", host, "--port", "0", "--base-url", "http://127.0.0.1:9", "--state-dir", tmp_path)
    assert share_warm_program().call(tmp_path, CLEAN, *call) == 2
    assert "--trust-proxy" in (tmp_path / "err").read_text()
