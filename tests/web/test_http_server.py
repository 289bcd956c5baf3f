"""The limits of the server below the pages."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from tests.web.served import Server, Visitor, make_csv


def test_the_limit_of_an_upload_holds_to_the_byte(sandbox: Sandbox, tmp_path: Path) -> None:
    """One byte more: 413 before the body has been sent; also without Content-Length, in chunks."""
    limit = 100_000
    with Server(sandbox.base_url, tmp_path / "state", upload_bytes=str(limit)) as server:
        visitor = Visitor(server.url, "anna")
        small = visitor.upload("small.csv", make_csv(1000))
        assert small.status_code == 200
        assert post_raw(server, visitor, limit, b"x" * 100).startswith(b"HTTP/1.1 4")  # awaited, not cut off
        assert b" 413 " in post_raw(server, visitor, limit + 1, b"")
        assert b" 413 " in post_chunks(server, visitor, limit + 1)
        assert sandbox.requests


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
    ended = subprocess.run(
        [sys.executable, "-m", "bulkupdate", "serve", "--host", host, "--port", "0", "--base-url", "http://127.0.0.1:9",
         "--state-dir", str(tmp_path)], capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "--trust-proxy" in ended.stderr
