"""No exception of `requests`, urllib3, http.client or the system leaves the room."""

from __future__ import annotations

import http.client
import inspect
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import urllib3

from bulkupdate.clock import Clock
from bulkupdate.errors import StoppedError, UsageError
from bulkupdate.redaction import Redactor
from bulkupdate.sellercloud.http_adapter import DeadlineAdapter
from bulkupdate.sellercloud.transport import NoReplyError, Request, Transport

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
    class Raw:
        def read(self, *_: Any, **__: Any) -> bytes:
            raise make(kind)

        def close(self) -> None:
            pass

    def answer(*_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.raw = 200, Raw()
        return response

    send(answer, monkeypatch)


def test_a_bug_of_ours_is_not_taken_for_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        send(fail, monkeypatch)
