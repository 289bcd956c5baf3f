"""The address of the service: as pasted, by server id, by team."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bulkupdate.clock import Clock
from bulkupdate.errors import ServiceDownError, UsageError
from bulkupdate.network import is_loopback
from bulkupdate.redaction import Secret
from bulkupdate.sellercloud.base_url import normalise_base_url
from bulkupdate.sellercloud.client import Client, open_client
from bulkupdate.settings import Settings
from tests.sellercloud.scripted import Reaction, serve


@pytest.mark.parametrize(
    "pasted",
    [
        "https://xx.api.sellercloud.com/rest/api", "https://xx.api.sellercloud.com/rest/api/",
        "https://xx.api.sellercloud.com/rest", "https://xx.api.sellercloud.com/rest/", "https://xx.api.sellercloud.com",
        "https://xx.api.sellercloud.com/", "xx.api.sellercloud.com", "xx.api.sellercloud.com/rest/api",
        "  https://XX.api.sellercloud.com/Rest/API ",
    ],
)  # fmt: skip
def test_a_pasted_address_is_taken_as_meant(pasted: str) -> None:
    assert normalise_base_url(pasted) == "https://xx.api.sellercloud.com/rest/api"


@pytest.mark.parametrize(
    ("pasted", "base_url"),
    [
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765/rest/api"),
        ("http://127.9.9.9/rest", "http://127.9.9.9/rest/api"),
        ("http://localhost:1/rest/api", "http://localhost:1/rest/api"),
        ("http://[::1]:8765/", "http://[::1]:8765/rest/api"),
        ("https://xx.api.sellercloud.us/rest", "https://xx.api.sellercloud.us/rest/api"),
    ],
)
def test_plain_http_is_taken_for_this_machine_only(pasted: str, base_url: str) -> None:
    """Check 31."""
    assert normalise_base_url(pasted) == base_url


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("http://xx.api.sellercloud.com/rest/api", "begins with http://"),
        ("http://127.0.0.1.evil.example", "begins with http://"),
        ("http://localhost.evil.example", "begins with http://"),
        ("http://0.0.0.0", "begins with http://"),
        ("http://192.168.1.1", "begins with http://"),
        ("https://ops:hush@xx.api.sellercloud.com", "user name or password"),
        ("https://@xx.api.sellercloud.com", "user name or password"),
        ("http://127.0.0.1@evil.example", "user name or password"),
        ("https://xx.api.sellercloud.com/rest/api/Customers/1", "more after its host"),
        ("https://xx.api.sellercloud.com/rest?x=1", "more after its host"),
        ("ftp://xx.api.sellercloud.com", "begins with https://"),
        ("https://", "begins with https://"),
        ("https:///rest", "begins with https://"),
        ("https://x y/rest", "begins with https://"),
        ("https://[::1", "is not an address"),
        ("https://x:99999", "is not an address"),
        ("garbage", "begins with https://"),
    ],
)
def test_other_addresses_are_refused_with_a_sentence(pasted: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        normalise_base_url(pasted)
    assert "hush" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("host", "answer"), [("LOCALHOST", True), ("127.1.2.3", True), ("::1", True), ("x", False)])
def test_loopback(host: str, answer: bool) -> None:
    assert is_loopback(host) is answer


def open_for(folder: Path, lookup_url: str = "", **settings: str) -> Client:
    given = Settings(
        username="u", password=Secret("pass"), state_dir=folder, max_attempts=2, retry_wait=0.0, timeout=2.0, **settings
    )  # type: ignore[arg-type]  # the settings given are texts
    return open_client(given, Clock(), threading.Event(), lookup_url=lookup_url)


def test_a_server_id_stands_for_its_address(tmp_path: Path) -> None:
    client = open_for(tmp_path, server_id="AB1 ")
    assert client.base_url == "https://ab1.api.sellercloud.com/rest/api"
    client.close()


@pytest.mark.parametrize("server_id", ["a.b", "a/b", "x@y", "-", "https://xx"])
def test_what_is_no_server_id_is_refused(tmp_path: Path, server_id: str) -> None:
    with pytest.raises(UsageError, match="SERVER_ID"):
        open_for(tmp_path, server_id=server_id)


def test_missing_settings_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="BULKUPDATE_BASE_URL"):
        open_for(tmp_path)


def test_a_team_is_looked_up(tmp_path: Path) -> None:
    answer = Reaction(200, {"RestApiEndpoint": "https://yy.api.sellercloud.us/rest"})
    with serve(answer) as service:
        client = open_for(tmp_path, f"{service.base_url}/server-by-team/", team="My Team & Co")
        assert client.base_url == "https://yy.api.sellercloud.us/rest/api"
        assert service.received[0].path.endswith("/server-by-team/?team=My%20Team%20%26%20Co")
        assert client.calls == 1, "the lookup is a call, and spends from the allowance"
        assert client.quota.capacity().free == 10_799
        client.close()


@pytest.mark.parametrize(
    "answer",
    [
        Reaction(200, {"Success": False, "Message": "No such team"}), Reaction(200, b"<html>"), Reaction(200, b"[]"),
        Reaction(404), Reaction(302, headers={"Location": "https://x"}), Reaction(200, {"RestApiEndpoint": ""}),
        Reaction(200, {"RestApiEndpoint": "http://evil.example/rest"}), Reaction(200, {"RestApiEndpoint": 5}),
    ],
)  # fmt: skip
def test_a_team_that_is_not_found_is_said(tmp_path: Path, answer: Reaction) -> None:
    with serve(answer) as service:
        with pytest.raises(UsageError):
            open_for(tmp_path, service.base_url, team="shop")
        assert len(service.received) == 1


@pytest.mark.parametrize(
    ("answer", "details"),
    [
        (Reaction(200, {"Success": False, "Message": "No such team"}), "No such team"),
        (Reaction(200, b"[]"), "the answer holds no address"),
        (Reaction(204), "the answer holds no address"),
        (Reaction(400, {"Message": "Unknown", "RestApiEndpoint": "https://x.example"}), "Unknown"),
    ],
)
def test_why_no_server_was_found_is_said(tmp_path: Path, answer: Reaction, details: str) -> None:
    with serve(answer) as service, pytest.raises(UsageError, match=f"for the team 'shop': {details}\\.$"):
        open_for(tmp_path, service.base_url, team="shop")


def test_a_lookup_in_trouble_is_tried_again(tmp_path: Path) -> None:
    with serve(Reaction(503)) as service:
        with pytest.raises(ServiceDownError, match="team 'shop' failed: 503"):
            open_for(tmp_path, service.base_url, team="shop")
        assert len(service.received) == 2


def test_a_lookup_that_is_throttled_says_so(tmp_path: Path) -> None:
    with serve(Reaction(429)) as service, pytest.raises(ServiceDownError, match="429"):
        open_for(tmp_path, service.base_url, team="shop")
