"""Connections: errors translated, certificates, proxies, and the time limit over TLS."""

from __future__ import annotations

import base64
import http.client
import inspect
import shutil
import ssl
import subprocess
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3

from bulkupdate.clock import Clock
from bulkupdate.customers.models import Status
from bulkupdate.errors import ServiceDownError, StoppedError, UsageError
from bulkupdate.notices.delivery import DeliveryError
from bulkupdate.notices.webhook import post_json
from bulkupdate.redaction import Redactor, Secret
from bulkupdate.sellercloud.http_adapter import DeadlineAdapter
from bulkupdate.sellercloud.transport import NoReplyError, Request, Transport, _is_not_tls
from tests.sellercloud.scripted import Reaction, connect, serve
from tests.sellercloud.test_retries import trickle

OURS = (NoReplyError, StoppedError, UsageError)


def make(kind: type[Exception]) -> Exception:
    """An instance, with as many arguments as it asks for."""
    response = urllib3.HTTPResponse()
    arguments: tuple[Any, ...]
    for arguments in (("text",), (response, b"text"), (None, "text", "text"), ("text", "text", 0), (0, 1)):
        try:
            return kind(*arguments)
        except (TypeError, AttributeError):
            continue
    raise AssertionError(f"{kind} cannot be made")


def all_kinds() -> Iterator[type[Exception]]:
    for module, base in (
        (requests.exceptions, requests.RequestException),
        (urllib3.exceptions, urllib3.exceptions.HTTPError),
        (http.client, http.client.HTTPException),
    ):
        yield from (kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, base))
    yield from (OSError, TimeoutError, ConnectionResetError, BrokenPipeError, ssl.SSLError)


def send(adapter_send: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeadlineAdapter, "send", adapter_send)
    transport = Transport("http://127.0.0.1:1", 1.0, 1, Clock(), Redactor())
    transport.send(Request("PUT", "http://127.0.0.1:1/rest/api/Customers/1", "{}"))


@pytest.mark.parametrize(
    "kind", sorted(set(all_kinds()), key=str), ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)
def test_every_foreign_exception_is_translated_and_chained(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise make(kind)

    with pytest.raises(OURS) as caught:
        send(fail, monkeypatch)
    assert isinstance(caught.value.__cause__, kind)
    assert str(caught.value)


@pytest.mark.parametrize(
    "kind", sorted(set(all_kinds()), key=str), ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)
def test_a_body_that_cannot_be_read_is_no_exception(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreadable(urllib3.HTTPResponse):
        def read(self, *_: Any, **__: Any) -> bytes:
            raise make(kind)

    send(lambda *_, **__: Unreadable(status=200, preload_content=False), monkeypatch)


HOST = "127.0.0.1:1"
POOL: Any = None
SLOW = urllib3.exceptions.ConnectTimeoutError()
UNSENT = urllib3.exceptions.NewConnectionError(POOL, "refused")


@pytest.mark.parametrize(
    ("error", "message", "was_sent"),
    [
        (requests.ConnectTimeout(SLOW), f"no connection to {HOST} within 1 s", False),
        (requests.ReadTimeout(), "no answer within 1 s", True),
        (requests.ConnectionError(UNSENT), f"no connection to {HOST}", False),
        (requests.exceptions.ProxyError(), "no connection through the proxy", False),
        (requests.ConnectionError(ConnectionResetError(104, "reset by peer")),
         "the connection broke before an answer came: reset by peer", True),
        (requests.exceptions.ChunkedEncodingError(), "the connection broke before an answer came", True),
    ],
)  # fmt: skip
def test_a_failure_says_whether_the_request_may_have_arrived(
    error: Exception, message: str, was_sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    with pytest.raises(NoReplyError) as caught:
        send(fail, monkeypatch)
    assert (str(caught.value), caught.value.was_sent, caught.value.is_address_suspect) == (message, was_sent, False)


def test_a_failure_keeps_neither_token_nor_data(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise requests.ConnectionError(request=requests.Request("PUT", headers={"Authorization": "Bearer t"}))

    with pytest.raises(NoReplyError) as caught:
        send(fail, monkeypatch)
    assert isinstance(caught.value.__cause__, requests.RequestException)
    assert caught.value.__cause__.request is None
    assert repr(Request("PUT", "http://x/1", '{"Name": "Anna"}', "t")) == "Request(PUT http://x/1)"


def test_a_bug_of_ours_is_not_taken_for_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        send(fail, monkeypatch)


BODY = '{"Name": "Anna"}'
PROXY_PASSWORD = "hush-hush%2F1"
VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def make_certificate(tmp_path_factory: pytest.TempPathFactory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificates, is not installed")
    folder = tmp_path_factory.mktemp("certificates")

    def make(name: str, alternative: str) -> Path:
        file = folder / f"{name}.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName={alternative}",
             "-keyout", file, "-out", f"{file}.crt"],
            check=True, capture_output=True,
        )  # fmt: skip
        file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
        return file

    return make


def context_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(scope="module")
def good(make_certificate) -> Path:
    return make_certificate("good", "IP:127.0.0.1")


def test_a_certificate_nobody_vouches_for_is_refused_at_once(tmp_path: Path, good: Path) -> None:
    with serve(tls=context_of(good)) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(StoppedError, match=r"certificate.*self-signed|certificate.*self signed") as caught:
            client.sign_in()
        assert "BULKUPDATE_BASE_URL" in str(caught.value.remedy)
        assert (service.received, client.calls) == ([], 1)


def test_a_certificate_of_another_host_is_refused(
    tmp_path: Path, make_certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = make_certificate("other", "DNS:elsewhere.example")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{other}.crt")
    with serve(tls=context_of(other)) as service, connect(service.base_url, tmp_path) as client:
        with pytest.raises(StoppedError, match=r"certificate of 127\.0\.0\.1:\d+ cannot be trusted"):
            client.sign_in()
        assert service.received == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_firms_own_certificates_are_honoured(
    tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"{good}.crt")
    with serve(tls=context_of(good)) as service, connect(service.base_url, tmp_path) as client:
        assert client.update_customer("163", BODY).status is Status.UPDATED


def test_certificates_that_do_not_exist_are_a_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    with pytest.raises(UsageError, match=r"none\.pem, which does not exist"), connect("http://127.0.0.1:1", tmp_path):
        pass


def test_the_time_limit_holds_over_tls(tmp_path: Path, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", f"{good}.crt")
    slow = Reaction(raw=trickle(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"))
    with (
        serve(slow, tls=context_of(good)) as service,
        connect(service.base_url, tmp_path, timeout=0.4, max_attempts=1) as client,
    ):
        client.sign_in()
        started = time.monotonic()
        assert client.update_customer("163", BODY).status is Status.UNKNOWN
        assert time.monotonic() - started < 3  # the answer would take 4 s


def test_a_byte_that_comes_late_does_not_renew_the_time_limit(tmp_path: Path) -> None:
    def send_late(connection: Any) -> None:
        time.sleep(1.1)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        time.sleep(1.5)

    with (
        serve(Reaction(raw=send_late)) as service,
        connect(service.base_url, tmp_path, timeout=1.2, max_attempts=1) as client,
    ):
        client.sign_in()
        started = time.monotonic()
        assert client.update_customer("163", BODY).status is Status.UNKNOWN
        assert time.monotonic() - started < 2  # a new limit would end after 2.3 s


def test_a_plain_server_behind_https_is_a_service_that_is_down(tmp_path: Path) -> None:
    with serve() as service:
        https = service.base_url.replace("http://", "https://")
        with connect(https, tmp_path, max_attempts=2) as client, pytest.raises(ServiceDownError, match="2 times"):
            client.sign_in()
        assert service.received == []


@pytest.mark.parametrize(
    ("error", "is_plain"),
    [
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), False),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), False),
        (ConnectionResetError(104, "Connection reset by peer"), False),
    ],
)
def test_only_what_openssl_calls_no_tls_is_no_tls(error: OSError, is_plain: bool) -> None:
    assert _is_not_tls(error) is is_plain
    error.reason = "HTTP_REQUEST"  # type: ignore[attr-defined]
    assert _is_not_tls(error) is isinstance(error, ssl.SSLError)


# --- proxies ----------------------------------------------------------------------------------------------------------


@contextmanager
def proxy(status: int) -> Iterator[tuple[str, list[tuple[str, str, str]]]]:
    """A proxy that records what it is asked for and answers with that status."""
    asked: list[tuple[str, str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            asked.append((self.command, self.path, self.headers.get("Proxy-Authorization", "")))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_CONNECT = do_POST = do_PUT = _handle  # noqa: N815 - the names http.server asks for

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://agent:{PROXY_PASSWORD}@127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [407, 502])
def test_a_proxy_is_used_and_its_password_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with proxy(status) as (address, asked):
        monkeypatch.setenv("HTTPS_PROXY", address)
        with connect("https://xx.api.sellercloud.com", tmp_path, max_attempts=1) as client:
            with pytest.raises(ServiceDownError) as caught:
                client.sign_in()
            shown = f"{caught.value} {caught.value.remedy} {client!r} {client.pipeline._transport!r}"
    [(method, path, credentials)] = asked
    assert (method, path) == ("CONNECT", "xx.api.sellercloud.com:443")
    assert credentials == "Basic " + base64.b64encode(b"agent:hush-hush/1").decode()
    assert "hush" not in shown
    assert "agent" not in shown


def test_a_proxy_that_is_down_is_named_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://agent:{PROXY_PASSWORD}@127.0.0.1:1")
    with connect("https://xx.api.sellercloud.com", tmp_path, max_attempts=1) as client:
        with pytest.raises(ServiceDownError, match="no connection through the proxy: Connection refused") as caught:
            client.sign_in()
        assert "hush" not in repr(caught.value)


def test_no_proxy_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy(502) as (address, asked), serve() as service:
        monkeypatch.setenv("HTTP_PROXY", address)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with connect(service.base_url, tmp_path) as client:
            assert client.update_customer("163", BODY).status is Status.UPDATED
        assert asked == []


@pytest.mark.parametrize("address", ["http://", "http://agent:hush@bad host:x"])
def test_a_proxy_that_cannot_be_used_is_said_plainly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    with connect("https://xx.api.sellercloud.com", tmp_path, max_attempts=1) as client:
        with pytest.raises((UsageError, StoppedError), match="proxy") as caught:
            client.sign_in()
        assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_a_socks_proxy_is_a_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    with pytest.raises(UsageError, match="SOCKS"), connect("https://xx.api.sellercloud.com", tmp_path):
        pass


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
    with record_proxy() as (address, asked):
        monkeypatch.setenv(request.param, address)
        yield asked


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST"])
def test_the_service_on_this_machine_is_asked_directly(tmp_path: Path, asked: list[str], host: str) -> None:
    with serve() as service:
        address = service.base_url.replace("127.0.0.1", host)
        with connect(address, tmp_path) as client:
            assert client.update_customer("163", "{}").status is Status.UPDATED
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
    with pytest.raises(DeliveryError):
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
