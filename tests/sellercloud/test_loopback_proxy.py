"""What is sent to this machine never goes to a proxy: plain http is allowed there as it cannot leave the machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import StoppedError, UsageError
from bulkupdate.nightly.webhook import WebhookError, post_json
from bulkupdate.sellercloud.update_result import AnswerKind
from bulkupdate.settings import Secret
from tests.conftest import Program
from tests.sellercloud.scripted import Reaction, connect, serve

VARIABLES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy")


@contextmanager
def record_proxy() -> Iterator[tuple[str, list[str]]]:
    """A proxy that notes every first line of a request it gets."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            asked.append(self.requestline)
            self.send_response(502)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_CONNECT = do_GET = do_POST = do_PUT = _handle  # noqa: N815 - the names http.server asks for

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(params=["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def asked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the proxy of the environment is asked for."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with record_proxy() as (address, asked):
        monkeypatch.setenv(request.param, address)
        yield asked


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_the_service_on_this_machine_is_asked_directly(tmp_path: Path, asked: list[str], host: str) -> None:
    with serve() as service:
        address = service.base_url.replace("127.0.0.1", host)
        with connect(address, tmp_path) as client:
            assert client.update_customer("163", "{}").status is AnswerKind.UPDATED
    assert asked == []


def test_no_proxy_is_asked_for_another_form_of_this_machine(tmp_path: Path, asked: list[str]) -> None:
    """Nobody listens there: the request fails, but not at the proxy."""
    for host in ("[::1]:1", "127.1.2.3:1"):
        with connect(f"http://{host}", tmp_path, max_attempts=1) as client, pytest.raises(StoppedError) as caught:
            client.sign_in()
        assert "proxy" not in str(caught.value)
    assert asked == []


def test_a_webhook_on_this_machine_is_asked_directly(asked: list[str]) -> None:
    with serve(Reaction(200)) as service:
        post_json(Secret(service.base_url), "{}", Clock())
        assert len(service.received) == 1
    assert asked == []


def test_another_host_is_asked_through_the_proxy(asked: list[str]) -> None:
    with pytest.raises(WebhookError):
        post_json(Secret("http://hooks.example.com/x"), "{}", Clock())
    assert asked == ["POST http://hooks.example.com/x HTTP/1.1"]


def test_a_socks_proxy_does_not_matter_to_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with serve() as service, connect(service.base_url, tmp_path) as client:
        client.sign_in()


@pytest.mark.parametrize("address", ["http://[::1", "http://[x]/"])
def test_an_address_that_cannot_be_read_is_a_wrong_setting(address: str) -> None:
    with pytest.raises(UsageError, match="cannot be used"):
        post_json(Secret(address), "{}", Clock())


def test_the_demo_runs_in_a_firm_with_a_proxy(run_program: Program) -> None:
    kept = {name: value for name, value in run_program.environment.items() if name not in VARIABLES}
    with record_proxy() as (address, asked):
        run_program.environment = {**kept, "HTTP_PROXY": address, "http_proxy": address}
        assert run_program("demo", json=False).exit_code == 0
    assert asked == []
